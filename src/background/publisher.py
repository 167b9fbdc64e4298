"""Publishes events to RabbitMQ. A publisher and its connection belong to one thread."""

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import NackError, UnroutableError

from config import rabbitmq
from config.settings import Settings
from services.event_service import HANDLERS, Event, to_message
from services.outbox_service import DeliveryRejected


class Publisher:
    """Its methods raise pika's AMQPError when RabbitMQ is down; the next call connects again."""

    def __init__(self, settings: Settings, topology: rabbitmq.Topology) -> None:
        self._settings = settings
        self._topology = topology
        self._connection: BlockingConnection | None = None
        self._channel: BlockingChannel | None = None

    def keep_alive(self) -> None:
        """Connect if needed, send heartbeats, and notice a connection that was closed."""
        self._open_channel().connection.process_data_events(0)

    def publish(self, event: Event) -> None:
        """Returns when RabbitMQ has confirmed that it has stored the message. Raises
        DeliveryRejected."""
        properties = pika.BasicProperties(
            message_id=str(event.event_id),
            type=event.event,
            content_type="application/json",
            delivery_mode=pika.DeliveryMode.Persistent,
        )
        channel = self._open_channel()
        try:
            channel.basic_publish(
                self._topology.exchange, event.event, to_message(event), properties, mandatory=True
            )
        except (UnroutableError, NackError) as error:
            raise DeliveryRejected(repr(error)) from error

    def close(self) -> None:
        closing, self._connection, self._channel = self._connection, None, None
        rabbitmq.close(closing)

    def _open_channel(self) -> BlockingChannel:
        if self._channel is None or not self._channel.is_open:
            self.close()
            self._connection = rabbitmq.connect(self._settings)
            self._channel = self._connection.channel()
            self._topology.declare(self._channel, list(HANDLERS))
            self._channel.confirm_delivery()
        return self._channel
