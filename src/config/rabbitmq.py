"""Connections to RabbitMQ, and the exchange and queues that GopherTalk uses there.

pika's connection belongs to the thread that opened it, and sends its heartbeats only while that
thread calls it: so the relay and the consumer each open their own.
"""

from contextlib import suppress
from threading import Lock, Thread
from time import monotonic
from typing import NamedTuple

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import AMQPConnectionError, AMQPError, UnroutableError

from config.settings import Settings, get_settings

# pika takes a silent broker for dead five seconds after this.
HEARTBEAT_SECONDS = 4
PING_TIMEOUT_SECONDS = 1.0
PING_PAUSE_SECONDS = 0.5
PING_ROUTING_KEY = "gophertalk.ping"
CLOSE_TIMEOUT_SECONDS = 1.0
# How long a message that failed waits for its next attempt; after the last one it is parked.
RETRY_SECONDS = (1.0, 5.0, 25.0)

_ping_lock = Lock()
# When the last ping ended, on the clock of `monotonic`, and whether it succeeded.
_last_ping = (float("-inf"), False)


class Topology(NamedTuple):
    """Events go to the exchange, and from there to the queue. A message that failed waits in a
    retry queue, which returns it to the queue when the time is over. A message that fails at each
    attempt is parked: moved to the dead-letter queue, where it stays."""

    exchange: str
    queue: str
    retry_seconds: tuple[float, ...] = RETRY_SECONDS

    @property
    def dead_letter_queue(self) -> str:
        return f"{self.queue}.dead"

    def retry_queue(self, seconds: float) -> str:
        return f"{self.queue}.retry.{int(seconds * 1000)}ms"

    def declare(self, channel: BlockingChannel, events: list[str]) -> None:
        """Idempotent."""
        channel.exchange_declare(self.exchange, "direct", durable=True)
        channel.queue_declare(self.queue, durable=True)
        for event in events:
            channel.queue_bind(self.queue, self.exchange, event)
        for seconds in self.retry_seconds:
            channel.queue_declare(
                self.retry_queue(seconds),
                durable=True,
                arguments={
                    "x-message-ttl": int(seconds * 1000),
                    "x-dead-letter-exchange": "",
                    "x-dead-letter-routing-key": self.queue,
                },
            )
        channel.queue_declare(self.dead_letter_queue, durable=True)


def topology() -> Topology:
    settings = get_settings()
    return Topology(settings.rmq_exchange, settings.rmq_queue)


def connect(settings: Settings) -> BlockingConnection:
    """Raises AMQPConnectionError when the connection cannot be opened, for whatever reason."""
    credentials = pika.PlainCredentials(settings.rmq_user, settings.rmq_password.get_secret_value())
    parameters = pika.ConnectionParameters(
        host=settings.rmq_host or "",
        port=settings.rmq_port,
        virtual_host=settings.rmq_vhost,
        credentials=credentials,
        heartbeat=HEARTBEAT_SECONDS,
        connection_attempts=1,
        socket_timeout=2.0,
        stack_timeout=3.0,
        blocked_connection_timeout=5.0,
        tcp_options={"TCP_USER_TIMEOUT": 4000},
        client_properties={"connection_name": "gophertalk"},
    )
    try:
        return BlockingConnection(parameters)
    except AMQPConnectionError:
        raise
    except Exception as error:
        # Some errors from inside pika have no common base class.
        raise AMQPConnectionError(repr(error)) from error


def close(connection: BlockingConnection | None) -> None:
    """In whatever state it is. Does not wait for a RabbitMQ that does not answer."""
    if connection is not None and connection.is_open:
        closing = Thread(target=_close, args=(connection,), daemon=True)
        closing.start()
        closing.join(CLOSE_TIMEOUT_SECONDS)


def _close(connection: BlockingConnection) -> None:
    with suppress(Exception):
        connection.close()


def takes_events(settings: Settings, events: list[str]) -> bool:
    """Whether RabbitMQ would do its work now: it lets us in, and takes a message for our exchange.

    Whoever asks again within PING_PAUSE_SECONDS gets the same answer: a ping costs a connection.
    """
    global _last_ping
    with _ping_lock:
        if monotonic() > _last_ping[0] + PING_PAUSE_SECONDS:
            answers: list[bool] = []
            # In a thread, because pika waits for most answers without a time limit.
            ping = Thread(target=lambda: answers.append(_ping(settings, events)), daemon=True)
            ping.start()
            ping.join(PING_TIMEOUT_SECONDS)
            _last_ping = (monotonic(), answers == [True])
        return _last_ping[1]


def _ping(settings: Settings, events: list[str]) -> bool:
    """What the relay does, with a message that no queue takes: it comes back."""
    connection = None
    try:
        connection = connect(settings)
        channel = connection.channel()
        topology().declare(channel, events)
        channel.confirm_delivery()
        channel.basic_publish(topology().exchange, PING_ROUTING_KEY, b"", mandatory=True)
    except UnroutableError:
        return True
    except AMQPError:
        return False
    finally:
        close(connection)
    return True
