"""The outbox: events that were committed with the change they tell of, until they are delivered."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from typing_extensions import TypedDict

from repositories.sql import Conn, execute, fetch_all, fetch_one


class Event(TypedDict):
    """A row of the outbox. `event_id` is the event's own, everywhere and for ever."""

    id: int
    event_id: UUID
    event: str
    payload: dict[str, Any]
    created_at: datetime
    attempts: int


class Backlog(TypedDict):
    """How many events wait for delivery, and for how many seconds the oldest has; 0 for none."""

    waiting: int
    oldest_age: float


def add(event: str, payload: dict[str, Any], conn: Conn) -> None:
    """Tell of a change, in the transaction that makes it."""
    execute("INSERT INTO outbox (event, payload) VALUES (%s, %s)", (event, Jsonb(payload)), conn)


def claim(limit: int, conn: Conn) -> list[Event]:
    """The oldest that wait and are nobody else's. They stay locked until the transaction ends,
    also when it ends by the death of this process."""
    return fetch_all(
        """
        SELECT id, event_id, event, payload, created_at, attempts
        FROM outbox
        WHERE done_at IS NULL AND parked_at IS NULL AND due_at <= now()
        ORDER BY id
        LIMIT %s
        FOR UPDATE SKIP LOCKED
        """,
        (limit,),
        conn,
    )


def mark_done(ids: list[int], conn: Conn) -> None:
    execute("UPDATE outbox SET done_at = now() WHERE id = ANY(%s)", (ids,), conn)


def postpone(event_row_id: int, seconds: float, conn: Conn) -> None:
    """It failed; try again after so many seconds."""
    execute(
        """
        UPDATE outbox
        SET attempts = attempts + 1, due_at = now() + make_interval(secs => %s)
        WHERE id = %s
        """,
        (seconds, event_row_id),
        conn,
    )


def park(event_row_id: int, conn: Conn) -> None:
    """It keeps failing: leave it for a person to look at."""
    execute(
        "UPDATE outbox SET attempts = attempts + 1, parked_at = now() WHERE id = %s",
        (event_row_id,),
        conn,
    )


def backlog() -> Backlog:
    return fetch_one(
        """
        SELECT
            count(*) AS waiting,
            coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_age
        FROM outbox
        WHERE done_at IS NULL AND parked_at IS NULL
        """
    )


def delete_done(conn: Conn) -> int:
    """A day after the delivery nobody asks any more."""
    return execute("DELETE FROM outbox WHERE done_at < now() - interval '1 day'", (), conn)
