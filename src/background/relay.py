"""Takes events from the outbox to whoever is concerned: RabbitMQ, else the handlers right here."""

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
# A connection that is dead without a word must not hold the relay up for ever.
BATCH_SECONDS = 5.0
BACK_OFF_SECONDS = (0.2, 0.5, 1.0)
CHECK_EVERY_SECONDS = 5.0
ALERT_EVERY_SECONDS = 60.0

log = logging.getLogger("gophertalk.relay")


def run_relay(stop: StopEvent) -> None:
    """Relays until `stop` is set, whatever happens to RabbitMQ and PostgreSQL meanwhile."""
    limit_database_seconds(BATCH_SECONDS)
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
    failures, pause, next_check = 0, 0.0, 0.0
    while not stop.wait(pause):
        try:
            if monotonic() >= next_check:
                late = outbox_service.alert_when_late()
                next_check = monotonic() + (ALERT_EVERY_SECONDS if late else CHECK_EVERY_SECONDS)
            prepare()
            taken = outbox_service.relay_batch(deliver)
        except Exception as error:
            pause = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
            if failures == 0:
                _report(error)
            failures += 1
        else:
            if failures:
                log.warning("the relay works again")
            failures = 0
            pause = 0.0 if taken == outbox_service.BATCH else POLL_SECONDS


def _report(error: Exception) -> None:
    if isinstance(error, AMQPError | Unavailable | OSError):
        log.warning("the relay waits for RabbitMQ or PostgreSQL: %r", error)
    else:
        log.error("the relay failed and tries again", exc_info=error)
