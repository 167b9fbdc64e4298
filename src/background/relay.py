"""Delivers the events of the outbox: to RabbitMQ, or without it to the handlers in this process."""

import logging
from collections.abc import Callable
from threading import Event as StopEvent
from time import monotonic

from pika.exceptions import AMQPError

from background.publisher import Publisher
from config import rabbitmq
from config.settings import get_settings
from services import event_service, outbox_service
from services.outbox_service import Deliver
from utils.errors import Unavailable
from utils.request_budget import limit_database_seconds

POLL_SECONDS = 0.5
# For one batch. A connection to PostgreSQL may be dead without an error.
MAX_DATABASE_SECONDS = 5.0
BACK_OFF_SECONDS = (0.2, 0.5, 1.0)
CHECK_INTERVAL_SECONDS = 5.0
ALERT_INTERVAL_SECONDS = 60.0

log = logging.getLogger("gophertalk.relay")


def run_relay(stop: StopEvent) -> None:
    """Works until `stop` is set; a failure of RabbitMQ or PostgreSQL only delays it."""
    limit_database_seconds(MAX_DATABASE_SECONDS)
    settings = get_settings()
    if settings.rmq_host:
        publisher = Publisher(settings, rabbitmq.topology())
        try:
            _run(stop, lambda event, conn: publisher.publish(event), publisher.keep_alive)
        finally:
            publisher.close()
    else:
        _run(stop, event_service.handle, lambda: None)


def _run(stop: StopEvent, deliver: Deliver, prepare: Callable[[], None]) -> None:
    failures, pause_seconds, next_check = 0, 0.0, 0.0
    while not stop.wait(pause_seconds):
        try:
            if monotonic() >= next_check:
                late = outbox_service.alert_when_late()
                next_check = monotonic() + (
                    ALERT_INTERVAL_SECONDS if late else CHECK_INTERVAL_SECONDS
                )
            prepare()
            delivered = outbox_service.relay_batch(deliver)
        except Exception as error:
            pause_seconds = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
            if failures == 0:
                _report(error)
            failures += 1
        else:
            if failures:
                log.warning("the relay works again")
            failures = 0
            pause_seconds = 0.0 if delivered == outbox_service.BATCH_ROWS else POLL_SECONDS


def _report(error: Exception) -> None:
    if isinstance(error, AMQPError | Unavailable | OSError):
        log.warning("the relay waits for RabbitMQ or PostgreSQL: %r", error)
    else:
        log.error("the relay failed and will try again", exc_info=error)
