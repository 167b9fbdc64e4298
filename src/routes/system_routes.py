"""Health checks and metrics. Public."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from controllers import system_controller
from dependencies.documentation.answers import documented_errors
from dependencies.routing.json_route import JsonRoute
from dto.system_dto import Parts, Status

to_docs = APIRouter(route_class=JsonRoute)

to_docs.get("/", include_in_schema=False)(system_controller.redirect_to_docs)

router = APIRouter(tags=["system"], route_class=JsonRoute)

router.get(
    "/api/health-check",
    summary="Check the database",
    response_class=PlainTextResponse,
    responses={
        200: {"content": {"text/plain": {"example": "OK"}}},
        500: {
            "description": "The database does not answer",
            "content": {"text/plain": {"example": "DB connection failed"}},
        },
    },
)(system_controller.health_check)

router.get(
    "/api/ping",
    summary="Check every part",
    response_model=Parts,
    responses={503: {"model": Parts, "description": "The database does not answer"}},
)(system_controller.ping)

# FastAPI's own threads serve readyz: all worker threads may be waiting for the database.
probes = APIRouter(tags=["system"])

probes.get(
    "/api/livez",
    summary="Check that this process works",
    response_model=Status,
    responses=documented_errors({503: "This process has finished nothing for too long"}),
)(system_controller.livez)

probes.get(
    "/api/readyz",
    summary="Check that this process is ready for requests",
    response_model=Status,
    responses=documented_errors({503: "The server is stopping"}),
)(system_controller.readyz)

metrics = APIRouter(route_class=JsonRoute)

metrics.get("/metrics", include_in_schema=False)(system_controller.metrics)
