"""The consumer: a program that handles the events in RabbitMQ."""

import logging
import signal
from contextlib import suppress
from threading import Event
from types import FrameType

from background.consumer import run_consumer
from config import rabbitmq
from config.startup import exit_on_startup_error, exit_with_error, open_resources, settings_or_exit

log = logging.getLogger("gophertalk.worker")


def work() -> None:
    """Returns after SIGTERM or Ctrl-C."""
    settings = settings_or_exit()
    if not settings.rmq_host:
        exit_with_error("Set RMQ_HOST: without RabbitMQ the server handles its events itself.")
    stop = Event()

    def request_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    with (
        suppress(KeyboardInterrupt),
        exit_on_startup_error(settings),
        open_resources(settings),
    ):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, request_stop)
        run_consumer(stop, settings, rabbitmq.topology())
    log.info("the consumer has stopped")
