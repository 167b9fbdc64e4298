"""Takes events from RabbitMQ's queue and handles them, each at least once and in effect once."""

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
from services.event_service import HANDLERS, Poison
from utils.errors import Unavailable
from utils.request_budget import limit_database_seconds

PREFETCH = 20
# How soon the consumer notices that it shall stop.
TICK_SECONDS = 0.5
# A connection to PostgreSQL that is dead without a word must not hold it up for ever.
TAKE_SECONDS = 3.0
BACK_OFF_SECONDS = (0.2, 0.5, 1.0)
ATTEMPTS_HEADER = "x-attempts"

log = logging.getLogger("gophertalk.consumer")


def run_consumer(stop: StopEvent, settings: Settings, topology: rabbitmq.Topology) -> None:
    """Consumes until `stop` is set, and connects again whenever the connection is lost."""
    limit_database_seconds(TAKE_SECONDS)
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
                log.warning("the consumer lost RabbitMQ and tries to reconnect: %r", error)
            stop.wait(BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)])
            failures += 1
        finally:
            rabbitmq.close(connection)


def _consume(stop: StopEvent, channel: BlockingChannel, topology: rabbitmq.Topology) -> None:
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=PREFETCH)
    messages = channel.consume(topology.queue, inactivity_timeout=TICK_SECONDS)
    for method, properties, body in messages:
        tell_systemd()
        if method and properties and body is not None:
            _take(channel, topology, method, properties, body)
        if stop.is_set():
            return


def _take(
    channel: BlockingChannel,
    topology: rabbitmq.Topology,
    method: Basic.Deliver,
    properties: BasicProperties,
    body: bytes,
) -> None:
    """Acknowledges the message after its work is committed, or after it lies safe elsewhere."""
    try:
        event_service.take(event_service.from_message(body))
    except Unavailable as error:
        # Nothing is wrong with the message: it waits in its place until PostgreSQL is back.
        log.warning("the consumer waits for PostgreSQL: %s", error)
        channel.basic_nack(method.delivery_tag, requeue=True)
        channel.connection.sleep(TICK_SECONDS)
        return
    except Poison as error:
        log.error("message %s is parked: %s", properties.message_id, error)
        _send_on(channel, topology.dead_letters, properties, body, _attempts(properties) + 1)
    except Exception as error:
        _retry_later(channel, topology, properties, body, error)
    channel.basic_ack(method.delivery_tag)


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
        log.warning("message %s failed, again in %s s: %r", properties.message_id, seconds, error)
        _send_on(channel, topology.retry_queue(seconds), properties, body, attempts + 1)
    else:
        log.error("message %s is parked: %r", properties.message_id, error)
        _send_on(channel, topology.dead_letters, properties, body, attempts + 1)


def _send_on(
    channel: BlockingChannel, queue: str, properties: BasicProperties, body: bytes, attempts: int
) -> None:
    """Returns when RabbitMQ has confirmed that the copy is kept."""
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
