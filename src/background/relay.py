"""Takes events from the outbox to whoever is concerned: RabbitMQ, else the handlers right here.

Any number of relays may run: what one has claimed, the others skip. A row is marked in the
transaction that claimed it, after the delivery; when the relay dies in between, the claim ends
with it and the event is delivered again, with the same id.
"""

import logging
from collections.abc import Callable
from threading import Event as StopEvent
from time import monotonic

from pika.exceptions import AMQPError

from background.handlers import Event, HandlerFailed, Poison, from_row, handle
from background.publisher import Publisher, Refused
from config import rabbitmq
from config.settings import get_settings
from repositories import outbox_repository
from utils.errors import Unavailable
from utils.sql import Conn, transaction

BATCH = 50
POLL_SECONDS = 0.5
BACK_OFF_SECONDS = (0.2, 0.5, 1.0)
# How long an event that was not taken waits for its next try, at most.
POSTPONE_SECONDS = (1.0, 5.0, 25.0, 60.0)
MAX_ATTEMPTS = 10
ALERT_AGE_SECONDS = 60.0
CHECK_EVERY_SECONDS = 5.0
ALERT_EVERY_SECONDS = 60.0

log = logging.getLogger("gophertalk.relay")

Deliver = Callable[[Event, Conn], None]


def run_relay(stop: StopEvent) -> None:
    """Relays until `stop` is set, whatever happens to RabbitMQ and PostgreSQL meanwhile."""
    settings = get_settings()
    if settings.rmq_host:
        publisher = Publisher(settings, rabbitmq.topology())
        try:
            _run(stop, lambda event, conn: publisher.publish(event), publisher.keep_alive)
        finally:
            publisher.close()
    else:
        _run(stop, handle, lambda: None)


def _run(stop: StopEvent, deliver: Deliver, prepare: Callable[[], None]) -> None:
    failures, pause, next_check = 0, 0.0, 0.0
    while not stop.wait(pause):
        try:
            if monotonic() >= next_check:
                late = alert_when_late()
                next_check = monotonic() + (ALERT_EVERY_SECONDS if late else CHECK_EVERY_SECONDS)
            prepare()
            taken = relay_batch(deliver)
        except Exception as error:
            pause = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
            if failures == 0:
                _report(error)
            failures += 1
        else:
            if failures:
                log.warning("the relay works again")
            failures = 0
            pause = 0.0 if taken == BATCH else POLL_SECONDS


def relay_batch(deliver: Deliver) -> int:
    """One round in one transaction; returns how many events were claimed. Raises what `deliver`
    raises when it reaches nobody at all; then all that was claimed waits on."""
    with transaction() as conn:
        rows = outbox_repository.claim(BATCH, conn)
        done = [row["id"] for row in rows if _delivered(row, deliver, conn)]
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
    age = outbox_repository.oldest_age()
    if age <= ALERT_AGE_SECONDS:
        return False
    log.error("the oldest event in the outbox has been waiting for %.0f seconds", age)
    return True


def _report(error: Exception) -> None:
    if isinstance(error, AMQPError | Unavailable | OSError):
        log.warning("the relay waits for RabbitMQ or PostgreSQL: %r", error)
    else:
        log.error("the relay failed and tries again", exc_info=error)
