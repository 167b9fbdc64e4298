"""Handles the events in RabbitMQ's queue. A repeated event has no second effect."""

import logging
from threading import Event as StopEvent

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError
from pika.spec import Basic, BasicProperties

from background.heartbeat import tell_systemd
from config import rabbitmq
from config.settings import Settings
from services import event_service
from services.event_service import HANDLERS, InvalidEvent
from utils import context
from utils.errors import Unavailable
from utils.request_budget import limit_database_seconds

PREFETCH_MESSAGES = 20
# How often the consumer looks whether it has been told to stop.
POLL_SECONDS = 0.5
# For one message. A connection to PostgreSQL may be dead without an error.
MAX_DATABASE_SECONDS = 3.0
BACK_OFF_SECONDS = (0.2, 0.5, 1.0)
ATTEMPTS_HEADER = "x-attempts"

log = logging.getLogger("gophertalk.consumer")


def run_consumer(stop: StopEvent, settings: Settings, topology: rabbitmq.Topology) -> None:
    """Consumes until `stop` is set, and connects again whenever the connection is lost."""
    limit_database_seconds(MAX_DATABASE_SECONDS)
    failures = 0
    while not stop.is_set():
        tell_systemd()
        connection = None
        try:
            connection = rabbitmq.connect(settings)
            channel = connection.channel()
            topology.declare(channel, list(HANDLERS))
            log.info("consuming %s", topology.queue)
            failures = 0
            _consume(stop, channel, topology)
        except (AMQPError, OSError) as error:
            if failures == 0:
                log.warning("the consumer has lost RabbitMQ and reconnects: %r", error)
            stop.wait(BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)])
            failures += 1
        finally:
            rabbitmq.close(connection)


def _consume(stop: StopEvent, channel: BlockingChannel, topology: rabbitmq.Topology) -> None:
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=PREFETCH_MESSAGES)
    messages = channel.consume(topology.queue, inactivity_timeout=POLL_SECONDS)
    for method, properties, body in messages:
        tell_systemd()
        if method and properties and body is not None:
            _handle(stop, channel, topology, method, properties, body)
        if stop.is_set():
            return


def _handle(
    stop: StopEvent,
    channel: BlockingChannel,
    topology: rabbitmq.Topology,
    method: Basic.Deliver,
    properties: BasicProperties,
    body: bytes,
) -> None:
    """Acknowledges the message when its work is committed, or another queue has a copy of it. One
    that is held when the process stops is not acknowledged, and RabbitMQ has it again."""
    context.continue_trace(None)
    try:
        event = event_service.from_message(body)
        context.continue_trace(event.traceparent)
        if not _handled_in_time(stop, channel, event):
            return
    except InvalidEvent as error:
        log.error("message %s is parked: %s", properties.message_id, error)
        _copy_to(channel, topology.dead_letter_queue, properties, body, _attempts(properties) + 1)
    except Exception as error:
        _retry_later(channel, topology, properties, body, error)
    channel.basic_ack(method.delivery_tag)


def _handled_in_time(stop: StopEvent, channel: BlockingChannel, event: event_service.Event) -> bool:
    """Tries until PostgreSQL is there; False when the process stops meanwhile.

    The message is held: a broker may drop one that is handed back too often.
    """
    waits = False
    while not (waits and stop.is_set()):
        tell_systemd()
        try:
            event_service.handle_in_transaction(event)
        except Unavailable as error:
            if not waits:
                log.warning("the consumer waits for PostgreSQL: %s", error)
            waits = True
            channel.connection.sleep(POLL_SECONDS)  # heartbeats go on
        else:
            return True
    return False


def _retry_later(
    channel: BlockingChannel,
    topology: rabbitmq.Topology,
    properties: BasicProperties,
    body: bytes,
    error: Exception,
) -> None:
    attempts = _attempts(properties)
    if attempts < len(topology.retry_seconds):
        seconds = topology.retry_seconds[attempts]
        log.warning(
            "message %s failed, next attempt in %s s: %r", properties.message_id, seconds, error
        )
        _copy_to(channel, topology.retry_queue(seconds), properties, body, attempts + 1)
    else:
        log.error("message %s is parked: %r", properties.message_id, error)
        _copy_to(channel, topology.dead_letter_queue, properties, body, attempts + 1)


def _copy_to(
    channel: BlockingChannel, queue: str, properties: BasicProperties, body: bytes, attempts: int
) -> None:
    """Returns when RabbitMQ has confirmed that it has stored the copy."""
    copy = pika.BasicProperties(
        message_id=properties.message_id,
        type=properties.type,
        content_type=properties.content_type,
        delivery_mode=pika.DeliveryMode.Persistent,
        headers={ATTEMPTS_HEADER: attempts},
    )
    channel.basic_publish("", queue, body, copy, mandatory=True)


def _attempts(properties: BasicProperties) -> int:
    attempts = (properties.headers or {}).get(ATTEMPTS_HEADER, 0)
    return attempts if isinstance(attempts, int) else 0
