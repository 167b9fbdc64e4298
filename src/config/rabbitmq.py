"""Connections to RabbitMQ.

pika's connection belongs to the thread that opened it, and sends its heartbeats only while that
thread calls it: so the relay and the consumer each open their own.
"""

from contextlib import suppress
from itertools import cycle
from threading import Lock, Thread
from time import monotonic

import pika
from pika.adapters.blocking_connection import BlockingConnection
from pika.exceptions import AMQPConnectionError, AMQPError, UnroutableError

from config.settings import Settings, get_settings
from packages.work_queue import Topology

# pika takes a silent broker for dead five seconds after this.
HEARTBEAT_SECONDS = 4
PING_TIMEOUT_SECONDS = 1.0
PING_PAUSE_SECONDS = 0.5
PING_ROUTING_KEY = "gophertalk.ping"
CLOSE_TIMEOUT_SECONDS = 1.0

_ping_lock = Lock()
# When the last ping ended, on the clock of `monotonic`, and whether it succeeded.
_last_ping = (float("-inf"), False)
_last_node = ("", "")


def topology() -> Topology:
    settings = get_settings()
    names = (settings.rmq_exchange, settings.rmq_queue)
    return Topology(*names, queue_type=settings.rmq_queue_type)


def connect(settings: Settings) -> BlockingConnection:
    """To the first node that lets us in, beginning with the last one that did.

    Raises AMQPConnectionError when the connection cannot be opened, for whatever reason.
    """
    global _last_node
    hosts, ports = (settings.rmq_host or "").split(","), settings.rmq_port.split(",")
    fault: Exception | None = None
    for node in sorted(zip(hosts, cycle(ports), strict=False), key=lambda node: node != _last_node):
        try:
            connection = BlockingConnection(_parameters(settings, *node))
        except Exception as error:  # some from inside pika have no common base class
            fault = error
        else:
            _last_node = node
            return connection
    raise AMQPConnectionError(repr(fault)) from fault


def _parameters(settings: Settings, host: str, port: str) -> pika.ConnectionParameters:
    credentials = pika.PlainCredentials(settings.rmq_user, settings.rmq_password.get_secret_value())
    return pika.ConnectionParameters(
        host=host,
        port=int(port),
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
