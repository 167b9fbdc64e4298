"""What an operator, or a passer-by, asks. Public."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from controllers import system_controller
from dependencies.routing.json_route import JsonRoute, SharedRoute
from dto.system_dto import Parts

to_docs = APIRouter(route_class=JsonRoute)

to_docs.get("/", include_in_schema=False)(system_controller.redirect_to_docs)

router = APIRouter(tags=["system"], route_class=JsonRoute)
shared = APIRouter(tags=["system"], route_class=SharedRoute)

shared.get(
    "/api/health-check",
    summary="Is the database there?",
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
    summary="Which parts work?",
    response_model=Parts,
    responses={503: {"model": Parts, "description": "The database does not answer"}},
)(system_controller.ping)

metrics = APIRouter(route_class=JsonRoute)

metrics.get("/metrics", include_in_schema=False)(system_controller.metrics)
