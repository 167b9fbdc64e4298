"""The outbox: events that were committed with the change they tell of, and wait for delivery.

Any number of processes may relay: what one has claimed, the others skip. A row is marked in the
transaction that claimed it, after the delivery; when the process dies in between, the claim ends
with it and the event is delivered again, with the same id.
"""

import logging
from collections.abc import Callable
from itertools import takewhile
from time import monotonic

from repositories import outbox_repository
from repositories.sql import Conn, transaction
from services.event_service import Event, HandlerFailed, Poison, from_row

BATCH = 50
# PostgreSQL ends a transaction that says nothing for longer: so a slow RabbitMQ gets few at a time.
BATCH_SECONDS = 1.0
# How long an event that was not taken waits for its next try, at most.
POSTPONE_SECONDS = (1.0, 5.0, 25.0, 60.0)
MAX_ATTEMPTS = 10
ALERT_AGE_SECONDS = 60.0

log = logging.getLogger("gophertalk.outbox")

Deliver = Callable[[Event, Conn], None]


class Refused(Exception):
    """RabbitMQ is there, but no queue takes the event, or it cannot be kept."""


def relay_batch(deliver: Deliver) -> int:
    """One round in one transaction; returns how many events were claimed. Raises what `deliver`
    raises when it reaches nobody at all; then all that was claimed waits on."""
    with transaction() as conn:
        rows = outbox_repository.claim(BATCH, conn)
        ends_at = monotonic() + BATCH_SECONDS
        in_time = takewhile(lambda row: monotonic() < ends_at, rows)
        done = [row["id"] for row in in_time if _delivered(row, deliver, conn)]
        if done:
            outbox_repository.mark_done(done, conn)
    return len(rows)


def _delivered(row: outbox_repository.Event, deliver: Deliver, conn: Conn) -> bool:
    """False when this one event was not taken: it waits, or is parked when it never will be."""
    try:
        deliver(from_row(row), conn)
    except Poison as error:
        _park(row, error, conn)
    except HandlerFailed as error:
        if row["attempts"] + 1 >= MAX_ATTEMPTS:
            _park(row, error, conn)
        else:
            _postpone(row, error, conn)
    except Refused as error:
        # For as long as it takes: somebody will mend the queues.
        _postpone(row, error, conn)
    else:
        return True
    return False


def _park(row: outbox_repository.Event, error: Exception, conn: Conn) -> None:
    log.error("event %s is parked: %r", row["event_id"], error)
    outbox_repository.park(row["id"], conn)


def _postpone(row: outbox_repository.Event, error: Exception, conn: Conn) -> None:
    seconds = POSTPONE_SECONDS[min(row["attempts"], len(POSTPONE_SECONDS) - 1)]
    log.error("event %s was not taken, next try in %s s: %r", row["event_id"], seconds, error)
    outbox_repository.postpone(row["id"], seconds, conn)


def alert_when_late() -> bool:
    """Somebody should look when events wait for more than a minute."""
    age = outbox_repository.backlog()["oldest_age"]
    if age <= ALERT_AGE_SECONDS:
        return False
    log.error("the oldest event in the outbox has been waiting for %.0f seconds", age)
    return True
