"""Events by way of a real RabbitMQ, which dies now and then, as do those who talk to it."""

import json
import os
import signal
import subprocess
import sys
from threading import Event

import pika
import pytest
from shop import (
    RABBITMQ,
    count,
    eventually,
    needs_rabbitmq,
    new_order,
    new_product,
    new_user,
    settings_with,
    unique,
)
from tcp_proxy import proxy_to

from background import consumer as consumer_module
from background.consumer import run_consumer
from background.publisher import Publisher
from background.relay import run_relay
from config.settings import PROJECT_ROOT
from packages.work_queue import RETRY_SECONDS, Topology
from repositories.sql import fetch_one
from services import event_service
from services.event_service import HANDLERS
from services.outbox_service import relay_batch
from utils.background_thread import in_background
from utils.errors import Unavailable

pytestmark = [pytest.mark.slow, needs_rabbitmq]
QUICK = (0.05, 0.1)
CHILD = """
import os, signal, sys
from config.settings import Settings, get_settings
Settings.model_config["env_file"] = None
from background.publisher import Publisher
from services.outbox_service import relay_batch
from config import rabbitmq, startup

def die(): os.kill(os.getpid(), signal.SIGKILL)

def deliver(event, conn):
    if sys.argv[1] == "before": die()
    publisher.publish(event)
    if sys.argv[1] == "after": die()

with startup.open_resources(get_settings()):
    publisher = Publisher(get_settings(), rabbitmq.topology())
    relay_batch(deliver)
"""


@pytest.fixture
def shop(db):
    return new_user("gopher_anna"), new_product()


@pytest.fixture
def proxy():
    with proxy_to(*RABBITMQ) as proxy:
        yield proxy


@pytest.fixture
def settings(proxy):
    name = unique("gt-test")
    with settings_with(
        RMQ_HOST="127.0.0.1",
        RMQ_PORT=str(proxy.port),
        RMQ_PASSWORD="guest",
        RMQ_EXCHANGE=name,
        RMQ_QUEUE=name,
    ) as settings:
        yield settings


@pytest.fixture
def topology(settings, channel):
    """Declared with quick retries; gone after the test."""
    topology = Topology(settings.rmq_exchange, settings.rmq_queue, QUICK)
    topology.declare(channel, list(HANDLERS))
    yield topology
    remove(channel, topology)


def remove(channel, topology):
    queues = [topology.retry_queue(seconds) for seconds in (*QUICK, *RETRY_SECONDS)]
    for queue in (topology.queue, topology.dead_letter_queue, *queues):
        channel.queue_delete(queue)
    channel.exchange_delete(topology.exchange)


@pytest.fixture
def channel():
    """The test's own way to RabbitMQ, around the proxy."""
    address = pika.ConnectionParameters(*RABBITMQ)
    connection = pika.BlockingConnection(address)
    yield connection.channel()
    connection.close()


@pytest.fixture
def consumer(settings, topology):
    def run(stop: Event):
        run_consumer(stop, settings, topology)

    return in_background(run)


def depth(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def send(channel, topology, body, **properties):
    channel.basic_publish(
        topology.exchange, "new_order", body, pika.BasicProperties(message_id="m", **properties)
    )


def all_done(expected):
    return count("outbox", "done_at IS NOT NULL") == expected


def test_from_the_order_to_its_history(shop, topology, consumer):
    order = new_order(*shop)
    with in_background(run_relay), consumer:
        assert eventually(lambda: count("order_events"))
    row = fetch_one("SELECT order_id::text AS order_id, event FROM order_events")
    assert row == {"order_id": order["id"], "event": "new_order"}
    assert all_done(1)


def test_messages_outlive_rabbitmq_and_name_their_event(shop, settings, topology, channel):
    new_order(*shop)
    publisher = Publisher(settings, topology)
    relay_batch(lambda event, conn: publisher.publish(event))
    publisher.close()

    _, properties, body = channel.basic_get(topology.queue, auto_ack=True)
    event_id = str(fetch_one("SELECT event_id FROM outbox")["event_id"])
    assert (properties.delivery_mode, properties.message_id) == (2, event_id)
    assert json.loads(body)["event_id"] == event_id


def test_what_no_queue_takes_is_not_done(shop, settings, topology, channel):
    new_order(*shop)
    publisher = Publisher(settings, topology)
    publisher.keep_alive()
    channel.queue_unbind(topology.queue, topology.exchange, "new_order")

    relay_batch(lambda event, conn: publisher.publish(event))
    publisher.close()
    row = fetch_one("SELECT attempts, done_at, parked_at FROM outbox")
    assert row == {"attempts": 1, "done_at": None, "parked_at": None}


def test_a_hundred_orders_while_rabbitmq_is_away(shop, proxy, topology, consumer):
    with in_background(run_relay), consumer:
        new_order(*shop)
        assert eventually(lambda: count("order_events") == 1)
        proxy.refuse()
        for _ in range(100):
            new_order(*shop)
        assert count("orders") == 101
        assert count("order_events") == 1
        proxy.accept()
        assert eventually(lambda: count("order_events") == 101)
        assert eventually(lambda: all_done(101))
    assert count("order_events", "order_id IN (SELECT id FROM orders)") == 101
    assert fetch_one("SELECT count(DISTINCT order_id) AS n FROM order_events")["n"] == 101


def test_connections_that_are_cut_again_and_again(shop, proxy, topology, consumer):
    with in_background(run_relay), consumer:
        for _ in range(5):
            for _ in range(5):
                new_order(*shop)
            proxy.cut()
        assert eventually(lambda: count("order_events") == 25)
        assert eventually(lambda: all_done(25))


def test_a_rabbitmq_that_hangs_holds_up_no_order(shop, proxy, topology, consumer):
    with in_background(run_relay), consumer:
        new_order(*shop)
        assert eventually(lambda: count("order_events") == 1)
        proxy.hang()
        for _ in range(5):
            new_order(*shop)
        proxy.flow()
        assert eventually(lambda: count("order_events") == 6)


@pytest.mark.parametrize(("moment", "messages"), [("before", 0), ("after", 1)])
def test_a_relay_that_is_killed(shop, settings, topology, channel, consumer, moment, messages):
    """Between commit and publish, and between publish and mark."""
    new_order(*shop)
    command = [sys.executable, "-c", CHILD, moment]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT / "src")}
    child = subprocess.run(command, env=environment, timeout=60, check=False)

    assert child.returncode == -signal.SIGKILL
    assert eventually(lambda: depth(channel, topology.queue) == messages)
    assert all_done(0)
    publisher = Publisher(settings, topology)
    # The dead relay's claim ends with its connection.
    assert eventually(lambda: relay_batch(lambda event, conn: publisher.publish(event)) == 1)
    publisher.close()
    assert eventually(lambda: depth(channel, topology.queue) == messages + 1)
    with consumer:
        assert eventually(lambda: depth(channel, topology.queue) == 0)
        assert eventually(lambda: count("order_events") == 1)
    assert all_done(1)


def test_two_relays_publish_nothing_twice(shop, settings, topology, channel):
    for _ in range(120):
        new_order(*shop)
    with in_background(run_relay), in_background(run_relay):
        assert eventually(lambda: all_done(120))
    assert depth(channel, topology.queue) == 120


class TestConsumer:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"garbage",
            b"{}",
            b'{"event_id": "x", "event": "new_order", "created_at": "now", "payload": {}}',
            json.dumps(
                {
                    "event_id": "5f0c2a53-1d8e-4c07-9f4e-52a2a5a3f6b1",
                    "event": "unheard_of",
                    "created_at": "2026-11-21T12:00:00Z",
                    "payload": {},
                }
            ).encode(),
        ],
    )
    def test_parks_poison_at_once(self, shop, topology, channel, consumer, body):
        send(channel, topology, body)
        with consumer:
            assert eventually(lambda: depth(channel, topology.dead_letter_queue) == 1)
        assert channel.basic_get(topology.dead_letter_queue, auto_ack=True)[2] == body
        assert depth(channel, topology.queue) == 0

    def test_tries_again_then_parks(self, shop, settings, topology, channel, consumer, monkeypatch):
        calls = []

        def fail(event, conn):
            calls.append(event.event_id)
            raise RuntimeError("not today")

        monkeypatch.setitem(event_service.HANDLERS, "new_order", fail)
        new_order(*shop)
        publisher = Publisher(settings, topology)
        relay_batch(lambda event, conn: publisher.publish(event))
        publisher.close()
        with consumer:
            assert eventually(lambda: depth(channel, topology.dead_letter_queue) == 1)
        assert len(calls) == 1 + len(QUICK)
        _, properties, _ = channel.basic_get(topology.dead_letter_queue, auto_ack=True)
        assert properties.headers["x-attempts"] == 1 + len(QUICK)

    def test_succeeds_at_the_second_try(self, shop, topology, consumer, monkeypatch):
        faults = iter([RuntimeError("not yet")])

        def fail_once(event, conn):
            for fault in faults:
                raise fault
            event_service.handle_new_order(event, conn)

        monkeypatch.setitem(event_service.HANDLERS, "new_order", fail_once)
        new_order(*shop)
        with in_background(run_relay), consumer:
            assert eventually(lambda: count("order_events") == 1)

    def test_keeps_messages_while_postgresql_is_away(
        self, shop, topology, channel, consumer, monkeypatch
    ):
        faults = iter([Unavailable("gone")] * 3)

        def away(event, conn):
            for fault in faults:
                raise fault
            event_service.handle_new_order(event, conn)

        monkeypatch.setitem(event_service.HANDLERS, "new_order", away)
        new_order(*shop)
        with in_background(run_relay), consumer:
            assert eventually(lambda: count("order_events") == 1)
        assert depth(channel, topology.dead_letter_queue) == 0

    def test_hands_none_back_to_a_broker_that_counts(self, shop, settings, channel, monkeypatch):
        """A quorum queue drops a message that came back more than three times, or parks it."""
        topology = Topology(settings.rmq_exchange, settings.rmq_queue, QUICK, "quorum")
        limited = {"x-queue-type": "quorum", "x-delivery-limit": 3}
        channel.queue_declare(topology.queue, durable=True, arguments=limited)
        monkeypatch.setattr(consumer_module, "POLL_SECONDS", 0.01)
        tries = []

        def away(event, conn):
            tries.append(event.event_id)
            if len(tries) < 20:
                raise Unavailable("gone")
            event_service.handle_new_order(event, conn)

        monkeypatch.setitem(event_service.HANDLERS, "new_order", away)
        new_order(*shop)
        quorum_consumer = in_background(lambda stop: run_consumer(stop, settings, topology))
        with quorum_consumer, in_background(run_relay):
            assert eventually(lambda: count("order_events") == 1)
        assert len(tries) == 20
        assert depth(channel, topology.queue) == depth(channel, topology.dead_letter_queue) == 0
        remove(channel, topology)

    def test_stops_while_it_holds_one_and_the_broker_has_it_again(
        self, shop, topology, channel, consumer, monkeypatch
    ):
        held = Event()

        def away(event, conn):
            held.set()
            raise Unavailable("gone")

        monkeypatch.setitem(event_service.HANDLERS, "new_order", away)
        new_order(*shop)
        with in_background(run_relay):
            with consumer:
                assert held.wait(20)
            assert eventually(lambda: depth(channel, topology.queue) == 1)


class TestTopology:
    @pytest.mark.parametrize("queue_type", ["classic", "quorum"])
    def test_what_is_dropped_goes_to_the_dead_letter_queue(self, settings, channel, queue_type):
        topology = Topology(settings.rmq_exchange, settings.rmq_queue, QUICK, queue_type)
        topology.declare(channel, list(HANDLERS))
        send(channel, topology, b"{}")
        assert eventually(lambda: depth(channel, topology.queue) == 1)
        method, _, _ = channel.basic_get(topology.queue)
        channel.basic_nack(method.delivery_tag, requeue=False)
        assert eventually(lambda: depth(channel, topology.dead_letter_queue) == 1)
        remove(channel, topology)

    def test_a_queue_that_exists_is_taken_as_it_is(self, settings, channel):
        topology = Topology(settings.rmq_exchange, settings.rmq_queue, QUICK, "quorum")
        channel.queue_declare(topology.queue, durable=True)  # classic, without arguments
        for _ in range(2):
            topology.declare(channel, list(HANDLERS))
        send(channel, topology, b"{}")
        assert eventually(lambda: depth(channel, topology.queue) == 1)
        remove(channel, topology)


class TestWorker:
    # As `python3 src/worker.py`, but without the developer's own .env.
    WORKER = """
from config.settings import Settings
Settings.model_config["env_file"] = None
import runpy
runpy.run_path("src/worker.py", run_name="__main__")
"""

    def command(self, **environment: str | None):
        given = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT / "src"), **environment}
        return {
            "args": [sys.executable, "-c", self.WORKER],
            "env": {name: value for name, value in given.items() if value is not None},
            "cwd": PROJECT_ROOT,
        }

    def test_handles_events_and_ends_at_sigterm(self, shop, settings, topology, channel):
        for seconds in QUICK:
            channel.queue_delete(topology.retry_queue(seconds))
        new_order(*shop)
        worker = subprocess.Popen(**self.command())
        try:
            with in_background(run_relay):
                assert eventually(lambda: count("order_events") == 1, seconds=30)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(10) == 0
        finally:
            worker.kill()

    def test_needs_rabbitmq(self):
        worker = subprocess.run(**self.command(RMQ_HOST=None), capture_output=True, check=False)
        assert worker.returncode == 2
        assert b"RMQ_HOST" in worker.stderr
