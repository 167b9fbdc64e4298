"""HTTP for operators."""

from fastapi import Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse

from services import metrics_service, system_service


def redirect_to_docs(request: Request) -> RedirectResponse:
    """To the documentation."""
    return RedirectResponse(f"{request.scope['root_path']}/docs", 307)


def health_check() -> Response:
    """`OK`, or 500 when the database does not answer."""
    if system_service.database_answers():
        return PlainTextResponse("OK")
    return PlainTextResponse("DB connection failed", 500)


def ping() -> Response:
    """Each part is `ok`, `off` (not configured) or `down`."""
    parts = system_service.ping()
    return JSONResponse(parts, 200 if parts["database"] == "ok" else 503)


async def livez() -> dict[str, str]:
    """For what restarts processes. Asks neither the database nor a worker thread."""
    system_service.check_live()
    return {"status": "live"}


def readyz() -> dict[str, str]:
    """For load balancers: 200 if this process should get requests now, else 503 with the reason."""
    system_service.check_ready()
    return {"status": "ready"}


def metrics() -> Response:
    """The metrics for Prometheus."""
    return Response(metrics_service.exposition(), media_type=metrics_service.CONTENT_TYPE)
