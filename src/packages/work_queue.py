"""An exchange and queues of RabbitMQ by which work is done at least once, with attempts later on.

Nothing is lost: a message that a broker's limit of deliveries drops from the queue goes to the
dead-letter queue too, and quorum queues move messages to each other with confirms.
"""

from typing import Any, Literal, NamedTuple, cast

from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import ChannelClosedByBroker

# How long a message that failed waits for its next attempt; after the last one it is parked.
RETRY_SECONDS = (1.0, 5.0, 25.0)
NOT_FOUND = 404
# A classic queue moves a message to another without a confirm, and takes no such arguments.
SAFE_MOVES = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
# Of a queue that is not made as a quorum queue the broker decides the type.
TYPES: dict[str, dict[str, Any]] = {"quorum": {"x-queue-type": "quorum"}, "classic": {}}


class Topology(NamedTuple):
    """Messages go to the exchange, and from there to the queue. A message that failed waits in a
    retry queue, which returns it to the queue when the time is over. A message that fails at each
    attempt is parked: moved to the dead-letter queue, where it stays."""

    exchange: str
    queue: str
    retry_seconds: tuple[float, ...] = RETRY_SECONDS
    queue_type: Literal["classic", "quorum"] = "classic"

    @property
    def dead_letter_queue(self) -> str:
        return f"{self.queue}.dead"

    def retry_queue(self, seconds: float) -> str:
        return f"{self.queue}.retry.{int(seconds * 1000)}ms"

    def declare(self, channel: BlockingChannel, routing_keys: list[str]) -> None:
        """Idempotent. A queue that exists stays as it is, of whatever type and arguments."""
        wanted: dict[str, dict[str, Any]] = {self.dead_letter_queue: {}}
        wanted[self.queue] = self._then_to(self.dead_letter_queue)
        for seconds in self.retry_seconds:
            lifetime = {"x-message-ttl": int(seconds * 1000)}
            wanted[self.retry_queue(seconds)] = lifetime | self._then_to(self.queue)
        channel.exchange_declare(self.exchange, "direct", durable=True)
        for queue, arguments in wanted.items():
            if not _exists(channel, queue):
                arguments |= TYPES[self.queue_type]
                channel.queue_declare(queue, durable=True, arguments=arguments)
        for routing_key in routing_keys:
            channel.queue_bind(self.queue, self.exchange, routing_key)

    def _then_to(self, queue: str) -> dict[str, Any]:
        """For a queue whose messages move on to another."""
        target = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue}
        return target | (SAFE_MOVES if self.queue_type == "quorum" else {})


def _exists(channel: BlockingChannel, queue: str) -> bool:
    """Asked on a channel of its own, because the broker closes it to say no."""
    asking = cast(BlockingConnection, channel.connection).channel()
    try:
        asking.queue_declare(queue, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code != NOT_FOUND:
            raise
        return False
    asking.close()
    return True
