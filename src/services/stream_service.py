"""The live stream: tickets, and what a stream sends from its first to its last event."""

from asyncio import sleep
from collections.abc import AsyncIterator, Awaitable, Callable
from random import randint
from typing import Any

from dto.stream_dto import StreamEvent, Ticket
from repositories import stream_repository, token_repository
from services import access_rules, open_streams, stream_limit
from services.open_streams import Stream
from services.stream_feed import feed_of
from services.stream_positions import as_id, resumed_at
from services.token_service import new_token
from utils.errors import InvalidCredentials, RateLimited, Unavailable
from utils.request_budget import current_budget

TICKET_SECONDS = 60
# After the end of a stream its client waits so long: not all the same, or a server that stops would
# send them all at once to the next.
RETRY_MS = (1000, 3000)
PAGE_EVENTS = 100
UNAVAILABLE_SECONDS = 1.0

InThread = Callable[..., Awaitable[Any]]


def issue_ticket() -> Ticket:
    """Opens one stream of the caller's session."""
    access_rules.require_member()
    access_rules.require_permission("post:read")
    ticket = new_token()
    token_repository.add_ticket(ticket, access_rules.session_id() or "", TICKET_SECONDS)
    return {"ticket": ticket, "expires_in": TICKET_SECONDS}


def use_ticket(ticket: str) -> dict[str, Any]:
    """Whose it is, as the claims of an access token. Raises InvalidCredentials."""
    session = token_repository.use_ticket(ticket)
    if session is None:
        raise InvalidCredentials("Invalid or expired token", code="invalid_token")
    return {"sub": str(session["user_id"]), "sid": session["session_id"], "exp": 0}


def open_stream(last_id: str | None) -> Stream:
    """The caller's, to be closed by `close_stream`. Raises RateLimited."""
    user_id = access_rules.require_member()
    access_rules.require_permission("post:read")
    now = stream_repository.get_moment()
    resumed = resumed_at(last_id, now) if last_id else None
    stream = Stream(user_id, access_rules.session_id() or "", resumed or (now["horizon"], 0))
    stream.first_id = as_id(stream.position, now["seconds"])
    stream.is_behind = resumed is not None
    stream.is_reset = bool(last_id) and resumed is None
    if not stream_limit.take(user_id):
        raise RateLimited(
            f"At most {stream_limit.MAX_STREAMS} streams at once", code="too_many_streams"
        )
    return stream


def close_stream(stream: Stream) -> None:
    open_streams.remove(stream)
    stream_limit.give_back(stream.user_id)


async def events_of(stream: Stream, in_thread: InThread) -> AsyncIterator[StreamEvent]:
    """What was missed, page by page as the client reads it, and then what happens. Ends when the
    stream is over; while the database is away, it waits.

    `in_thread` runs a function that asks the database.
    """
    open_streams.add(stream)
    yield StreamEvent(stream.first_id, retry=randint(*RETRY_MS))  # noqa: S311 # nosec B311
    if stream.is_reset:
        yield StreamEvent(stream.first_id, "reset", "{}")
    while stream.is_behind and not stream.is_over:
        try:
            page = await in_thread(_next_page, stream)
        except Unavailable:
            await sleep(UNAVAILABLE_SECONDS)
            yield StreamEvent()
            continue
        for event in page:
            yield event
    open_streams.join(stream)
    while events := await stream.next_events():
        for event in events:
            yield event


def _next_page(stream: Stream) -> list[StreamEvent]:
    """Of what was missed. What happened longer ago than an hour cannot be told any more."""
    current_budget().restart()
    page = stream_repository.get_events_of(stream.user_id, stream.position, PAGE_EVENTS)
    if any(row["is_old"] for row in page["events"]):
        now = stream_repository.get_moment()
        stream.position, stream.is_behind = (now["horizon"], 0), False
        return [StreamEvent(as_id(stream.position, now["seconds"]), "reset", "{}")]
    feed = feed_of(page["events"], {stream.user_id}, page["seconds"])
    stream.position = page["end"]
    stream.is_behind = len(page["events"]) == PAGE_EVENTS
    return [event for _, event in feed.get(stream.user_id, ())]
