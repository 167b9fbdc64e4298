"""Events, and what is done about each. The consumer asks for it, or without RabbitMQ the relay.

A handler may get the same event again: the event's id, unique in the table of what was done, makes
the second time do nothing.
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
    """As it travels: as JSON in a message, or by hand from the outbox to the handler."""

    event_id: UUID
    event: str
    created_at: datetime
    payload: dict[str, Any]


class Poison(Exception):
    """No event that anybody here knows; trying again is no help."""


class HandlerFailed(Exception):
    """The event could not be handled this time."""


_reader = TypeAdapter(Event)


def handle_new_order(event: Event, conn: Conn) -> None:
    """Put it on record in the order's history."""
    try:
        order_id = UUID(event.payload["order_id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Poison("new_order without an order_id") from error
    order_repository.add_event(event.event_id, order_id, event.event, event.created_at, conn)


HANDLERS: dict[str, Callable[[Event, Conn], None]] = {"new_order": handle_new_order}


def handle(event: Event, conn: Conn) -> None:
    """All of it or nothing. Raises Poison, HandlerFailed, and Unavailable without PostgreSQL."""
    handler = HANDLERS.get(event.event)
    if handler is None:
        raise Poison(f"nobody handles {event.event}")
    try:
        with conn.transaction():
            handler(event, conn)
    except (Poison, Unavailable):
        raise
    except Exception as error:
        if conn.closed:
            raise Unavailable("The database went away") from error
        raise HandlerFailed(str(error)) from error


def take(event: Event) -> None:
    """The same in a transaction of its own."""
    with transaction() as conn:
        handle(event, conn)


def from_row(row: outbox_repository.Event) -> Event:
    return Event(row["event_id"], row["event"], row["created_at"], row["payload"])


def to_message(event: Event) -> bytes:
    return to_json(event._asdict())


def from_message(body: bytes) -> Event:
    """Raises Poison."""
    try:
        return _reader.validate_json(body)
    except ValidationError as error:
        raise Poison("not an event") from error
