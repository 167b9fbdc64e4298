"""HTTP for what an operator asks."""

from fastapi import Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from dto.system_dto import Parts
from services import system_service


def redirect_to_docs() -> RedirectResponse:
    """Leads a visitor to the documentation."""
    return RedirectResponse("/docs", 307)


def health_check() -> Response:
    """`OK`, or 500 when the database does not answer."""
    if system_service.database_answers():
        return PlainTextResponse("OK")
    return PlainTextResponse("DB connection failed", 500)


def ping(response: Response) -> Parts:
    """What works: each part is `ok`, `off` (not configured) or `down`."""
    parts = system_service.ping()
    response.status_code = 200 if parts["database"] == "ok" else 503
    return parts
