"""The live stream in HTTP: a ticket in place of a token, and the answer that does not end.

Written by FastAPI's own encoder, but not by its generator routes: those hold three tasks and two
queues for each answer, 45 KB where this holds 10.
"""

from functools import lru_cache, partial
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from dependencies.auth import AnyCaller
from dependencies.middleware.request_context import add_header
from dependencies.routing.threads import in_worker_thread
from dto.stream_dto import StreamEvent
from services import stream_service
from services.open_streams import Stream
from utils.errors import RateLimited

RETRY_AFTER_SECONDS = 10


async def accept_ticket(
    request: Request,
    ticket: Annotated[
        str | None,
        Query(description="From `POST /api/stream/ticket`, in place of the header Authorization."),
    ] = None,
) -> None:
    """To be named before the guards of a route: they take the ticket for its caller's token."""
    if ticket is not None and "authorization" not in request.headers:
        request.state.ticket_claims = await in_worker_thread(stream_service.use_ticket, ticket)


async def open_stream(
    request: Request,
    caller: AnyCaller,
    last_event_id: Annotated[
        str | None, Header(description="The `id` of the last event that arrived.")
    ] = None,
    last_id: Annotated[
        str | None,
        Query(
            alias="last_event_id",
            description="The same, for who cannot set the header: a new EventSource cannot.",
        ),
    ] = None,
) -> Stream:
    """Open until its answer ends. Raises RateLimited."""
    try:
        return await in_worker_thread(stream_service.open_stream, last_event_id or last_id)
    except RateLimited:
        add_header(request.scope, "retry-after", str(RETRY_AFTER_SECONDS))
        raise


TICKET = Depends(accept_ticket)
OpenStream = Annotated[Stream, Depends(open_stream)]


class StreamResponse(EventSourceResponse):
    """Sends what a stream is given, until it is over."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(iter(()))
        self.stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the head alone; the middleware sends the rest."""
        state, stream = scope["state"], self.stream
        state["is_stream"] = True
        stream.attach()
        state["when_client_leaves"] = stream.end
        if state.keys() & {"client_left", "is_head"}:
            stream.end()
        state["send_rest"] = partial(_send_events, stream)
        headers = [*self.raw_headers, (b"x-accel-buffering", b"no")]  # for nginx
        await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send_events(stream: Stream, send: Send) -> None:
    try:
        async for event in stream_service.events_of(stream, in_worker_thread):
            await send(_body(_frame(event), more=True))
        await send(_body(b"", more=False))
    finally:
        await in_worker_thread(stream_service.close_stream, stream)


def _body(content: bytes, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": content, "more_body": more}


@lru_cache(maxsize=256)
def _frame(event: StreamEvent) -> bytes:
    """Once for all who are sent the same."""
    return format_sse_event(
        id=event.id or None,
        event=event.name,
        data_str=event.data,
        retry=event.retry,
        comment=None if event.name else "",
    )
