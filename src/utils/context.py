"""What belongs to the request that is being served, beside its budget of time."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple

# W3C Trace Context, version 00: the id of the trace, the id of the caller's span, flags.
TRACEPARENT = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
# Gives the address that the request came from; None where there is no network in between.
client_address: ContextVar[Callable[[], str | None]] = ContextVar(
    "client_address", default=lambda: None
)
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
# Who sent the request; None for a guest.
member_id: ContextVar[int | None] = ContextVar("member_id", default=None)


class IdempotencyKey(NamedTuple):
    """The text that a client chose for a request, with its sender and the path of the request."""

    user_id: int
    endpoint: str
    text: str


idempotency_key: ContextVar[IdempotencyKey | None] = ContextVar("idempotency_key", default=None)


def continue_trace(sent: object) -> None:
    """`sent` comes from outside; what is no traceparent counts as none."""
    if not isinstance(sent, str) or not TRACEPARENT.fullmatch(sent):
        sent = None
    traceparent.set(sent)
