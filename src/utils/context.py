"""What belongs to the request that is being served, beside its budget of time."""

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
