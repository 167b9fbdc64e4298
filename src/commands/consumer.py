"""The consumer, a program of its own that handles what the relay publishes."""

import logging
import signal
from threading import Event
from types import FrameType

from background.consumer import run_consumer
from config import rabbitmq
from config.startup import exit_with, running, settings_or_exit, started

log = logging.getLogger("gophertalk.worker")


def work() -> None:
    """Returns after SIGTERM or Ctrl-C."""
    settings = settings_or_exit()
    if not settings.rmq_host:
        exit_with("Set RMQ_HOST: without RabbitMQ the app handles its events itself.")
    stop = Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    with started(settings), running(settings):
        run_consumer(stop, settings, rabbitmq.topology())
    log.info("the consumer has stopped")
