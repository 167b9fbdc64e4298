"""The consumer, a program of its own: `python3 src/worker.py` handles what the relay publishes."""

import logging
import signal
from threading import Event
from types import FrameType

from background.consumer import run_consumer
from config import rabbitmq
from config.log import configure_logging
from config.startup import StartupError, exit_with, running, settings_or_exit

log = logging.getLogger("gophertalk.worker")


def main() -> None:
    settings = settings_or_exit()
    if not settings.rmq_host:
        exit_with("Set RMQ_HOST: without RabbitMQ the app handles its events itself.")
    configure_logging(settings)
    stop = Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    try:
        with running(settings):
            run_consumer(stop, settings, rabbitmq.topology())
    except StartupError as error:
        exit_with(str(error))
    log.info("the consumer has stopped")


if __name__ == "__main__":
    main()
