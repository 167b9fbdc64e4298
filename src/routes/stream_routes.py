"""The live stream."""

from fastapi import APIRouter
from fastapi.responses import Response

from controllers import stream_controller
from dependencies.auth import MEMBER
from dependencies.documentation.answers import documented_errors
from dependencies.rate_limit import limit
from dependencies.routing.json_route import JsonRoute
from dependencies.stream import TICKET
from dto.stream_dto import Ticket

NOT_ALLOWED = "This needs the permission post:read"
EXAMPLE = 'event: unread\ndata: {"count":3}\nid: 792-3-1795730957\n\n'

router = APIRouter(prefix="/api/stream", tags=["stream"], route_class=JsonRoute)

router.post(
    "/ticket",
    summary="Get a ticket for the stream",
    operation_id="issue_stream_ticket",
    response_model=Ticket,
    responses=documented_errors({403: NOT_ALLOWED}),
    dependencies=[limit("user"), MEMBER],
)(stream_controller.issue_ticket)

router.get(
    "",
    summary="Follow what happens",
    response_class=Response,  # FastAPI would call a generator for an EventSourceResponse
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}}},
        **documented_errors({403: NOT_ALLOWED, 429: "At most 5 streams at once"}),
    },
    dependencies=[TICKET, limit("user"), MEMBER],
)(stream_controller.read_stream)
