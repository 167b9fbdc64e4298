"""The outbox: events that were committed together with the change they report, until delivery.

Any number of processes may deliver them: rows that one has claimed, the others skip. A row is
marked as done after the delivery, in the transaction that claimed it. If the process dies in
between, the claim ends, and the event is delivered again with the same id.
"""

import logging
from collections.abc import Callable
from itertools import takewhile
from time import monotonic

from config import metrics
from repositories import outbox_repository
from repositories.sql import Conn, transaction
from services.event_service import Event, HandlerFailed, InvalidEvent, from_row
from utils import context

BATCH_ROWS = 50
# After this time a batch ends early, because PostgreSQL ends a transaction that is idle for long.
BATCH_SECONDS = 1.0
# The wait before each further attempt; the last value is repeated.
RETRY_SECONDS = (1.0, 5.0, 25.0, 60.0)
MAX_ATTEMPTS = 10
ALERT_AGE_SECONDS = 60.0

log = logging.getLogger("gophertalk.outbox")

Deliver = Callable[[Event, Conn], None]


class DeliveryRejected(Exception):
    """RabbitMQ is reachable, but no queue accepts this event, or it cannot be stored."""


def relay_batch(deliver: Deliver) -> int:
    """One transaction; returns the number of events that were claimed, 0 when RabbitMQ refused any.
    An error of `deliver` that concerns all events, such as a lost connection, is raised, and no
    event is marked."""
    refused: list[str] = []
    with transaction() as conn:
        rows = outbox_repository.claim(BATCH_ROWS, conn)
        ends_at = monotonic() + BATCH_SECONDS
        in_time = takewhile(lambda row: monotonic() < ends_at, rows)
        done = [row["id"] for row in in_time if _delivered(row, deliver, conn, refused)]
        context.continue_trace(None)
        if done:
            outbox_repository.mark_done(done, conn)
    if refused:
        log.error("RabbitMQ refused %s events, the first: %s", len(refused), refused[0])
        return 0
    return len(rows)


def _delivered(
    row: outbox_repository.Event, deliver: Deliver, conn: Conn, refused: list[str]
) -> bool:
    """False when this event was not delivered: it is postponed, or parked for good. What RabbitMQ
    says of one that it does not take is added to `refused`."""
    context.continue_trace(row["traceparent"])
    try:
        deliver(from_row(row), conn)
    except InvalidEvent as error:
        _park(row, error, conn)
    except HandlerFailed as error:
        if row["attempts"] + 1 >= MAX_ATTEMPTS:
            _park(row, error, conn)
        else:
            seconds = _postpone(row, conn)
            log.error("event %s failed, next attempt in %s s: %r", row["event_id"], seconds, error)
    except DeliveryRejected as error:
        # Without limit: an operator will repair the queues. One line for all of them is enough.
        seconds = _postpone(row, conn)
        refused.append(f"{row['event_id']}, next attempt in {seconds} s: {error}")
    else:
        return True
    return False


def _park(row: outbox_repository.Event, error: Exception, conn: Conn) -> None:
    log.error("event %s is parked: %r", row["event_id"], error)
    metrics.event_parked()
    outbox_repository.park(row["id"], conn)


def _postpone(row: outbox_repository.Event, conn: Conn) -> float:
    """Returns the number of seconds until the next attempt."""
    seconds = RETRY_SECONDS[min(row["attempts"], len(RETRY_SECONDS) - 1)]
    outbox_repository.postpone(row["id"], seconds, conn)
    return seconds


def alert_when_late() -> bool:
    """Logs an error when the oldest event has waited for more than a minute; returns whether."""
    age = outbox_repository.backlog()["oldest_age_seconds"]
    if age <= ALERT_AGE_SECONDS:
        return False
    log.error("the oldest event in the outbox has waited for %.0f seconds", age)
    return True
