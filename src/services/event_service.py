"""Events, and the handler of each kind. They are called by the consumer, or without RabbitMQ by
the relay.

A handler may get the same event again. It stores the event's id, which is unique there, so that the
second time has no effect.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from repositories import order_repository, outbox_repository
from repositories.sql import Conn, transaction
from utils.errors import Unavailable


class Event(NamedTuple):
    """As JSON it is the body of a message."""

    event_id: UUID
    event: str
    created_at: datetime
    payload: dict[str, Any]
    traceparent: str | None = None  # of the request that made it


class InvalidEvent(Exception):
    """Not an event, or one that no handler can ever handle. It is parked and not retried."""


class HandlerFailed(Exception):
    """The event could not be handled this time. It is retried."""


_reader = TypeAdapter(Event)


def handle_new_order(event: Event, conn: Conn) -> None:
    """Adds the event to the order's history."""
    try:
        order_id = UUID(event.payload["order_id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidEvent("new_order without an order_id") from error
    order_repository.add_event(event.event_id, order_id, event.event, event.created_at, conn)


HANDLERS: dict[str, Callable[[Event, Conn], None]] = {"new_order": handle_new_order}


def handle(event: Event, conn: Conn) -> None:
    """In a savepoint of the given transaction: all of it or nothing. Raises InvalidEvent,
    HandlerFailed, and Unavailable without PostgreSQL."""
    handler = HANDLERS.get(event.event)
    if handler is None:
        raise InvalidEvent(f"there is no handler for {event.event}")
    try:
        with conn.transaction():
            handler(event, conn)
    except (InvalidEvent, Unavailable):
        raise
    except Exception as error:
        if conn.closed:
            raise Unavailable("The database is not available") from error
        raise HandlerFailed(str(error)) from error


def handle_in_transaction(event: Event) -> None:
    """The same in a transaction of its own."""
    with transaction() as conn:
        handle(event, conn)


def from_row(row: outbox_repository.Event) -> Event:
    return Event(
        row["event_id"], row["event"], row["created_at"], row["payload"], row["traceparent"]
    )


def to_message(event: Event) -> bytes:
    return to_json(event._asdict())


def from_message(body: bytes) -> Event:
    """Raises InvalidEvent."""
    try:
        return _reader.validate_json(body)
    except ValidationError as error:
        raise InvalidEvent("not an event") from error
