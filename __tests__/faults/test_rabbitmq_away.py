"""RabbitMQ goes away behind a proxy: orders are taken, their events wait, each is handled once."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from time import monotonic
from uuid import uuid4

import pika
import psycopg
import pytest
from books import assert_balanced, unhandled
from live_server import NO_LIMITS
from load import tally
from shop import RABBITMQ, eventually, needs_rabbitmq
from tcp_proxy import proxy_to

from config.settings import PROJECT_ROOT
from packages.work_queue import Topology

pytestmark = needs_rabbitmq
ANSWER_SECONDS = RECOVERY_SECONDS = 3.0
FIRST_HANDLED = """
    SELECT extract(epoch FROM min(handled_at) - %s) AS seconds
    FROM order_events WHERE handled_at > %s
"""
PARKED = "SELECT count(*) AS n FROM outbox WHERE parked_at IS NOT NULL"
DONE = "SELECT count(*) AS n FROM outbox WHERE done_at IS NOT NULL"


@pytest.fixture
def rabbitmq():
    """The proxy in front of it."""
    with proxy_to(*RABBITMQ) as proxy:
        yield proxy


@pytest.fixture
def channel():
    """The test's own way to RabbitMQ, around the proxy."""
    with pika.BlockingConnection(pika.ConnectionParameters(*RABBITMQ)) as connection:
        yield connection.channel()


@pytest.fixture
def database(postgres):
    return postgres.new_database()


@pytest.fixture
def settings(database, rabbitmq, channel):
    name = f"gt-faults-{uuid4().hex[:8]}"
    yield {
        **database.settings(),
        "RMQ_HOST": "127.0.0.1",
        "RMQ_PORT": str(rabbitmq.port),
        "RMQ_PASSWORD": "guest",
        "RMQ_EXCHANGE": name,
        "RMQ_QUEUE": name,
        **NO_LIMITS,
    }
    topology = Topology(name, name)
    retries = [topology.retry_queue(seconds) for seconds in topology.retry_seconds]
    for queue in (name, topology.dead_letter_queue, *retries):
        channel.queue_delete(queue)
    channel.exchange_delete(name)


@pytest.fixture
def start_consumer(settings, tmp_path):
    """`python src/worker.py`, ended with the test."""
    consumers: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        with (tmp_path / "consumer.log").open("ab") as log:
            consumers.append(
                subprocess.Popen(
                    [sys.executable, str(PROJECT_ROOT / "src" / "worker.py")],
                    env={"ENV_FILE": os.devnull, "DATA_DIR": str(tmp_path / "data"), **settings},
                    stdout=log,
                    stderr=log,
                )
            )

    yield start
    for consumer in consumers:
        consumer.terminate()
        try:
            consumer.wait(20)
        except subprocess.TimeoutExpired:
            consumer.kill()
            consumer.wait()


@pytest.mark.parametrize(
    ("go", "come", "fault"),
    [("refuse", "accept", "RabbitMQ gone for 5 s"), ("hang", "flow", "RabbitMQ hangs for 5 s")],
)
def test_orders_are_taken_and_their_events_wait(
    start_server,
    start_consumer,
    settings,
    database,
    rabbitmq,
    new_load,
    note,
    scrapes,
    go,
    come,
    fault,
):
    server = start_server(**settings).wait_until_ready()
    seen = scrapes(server)
    start_consumer()
    with new_load(server, database, people=4) as load:
        load.go_on(2.0)
        began = monotonic()
        getattr(rabbitmq, go)()
        load.go_on(5.0)
        assert load.clients[0].get("/api/ping").json()["rabbitmq"] == "down"
        seen.scrape()
        assert seen.raises("GopherTalkRabbitMQDown")
        getattr(rabbitmq, come)()
        back = database.fetch("SELECT clock_timestamp() AS time")[0]["time"]
        load.go_on(3.0)
    during = load.answers(since=began)
    worst = max(answer.seconds for answer in during)
    with database.connect() as conn:
        assert eventually(lambda: unhandled(conn) == 0, 40.0)
        first = conn.execute(FIRST_HANDLED, (back, back)).fetchone()["seconds"]
        losses = load.losses()
        note(fault, f"{tally(during)}; first event handled", worst, float(first), losses)
        assert losses == 0
        assert conn.execute(PARKED).fetchone() == {"n": 0}
    assert_balanced(database)
    assert all(answer.good for answer in during), tally(during)
    assert worst < ANSWER_SECONDS
    assert first < RECOVERY_SECONDS


def test_the_consumer_gets_over_a_dead_connection_to_postgresql(
    start_server, start_consumer, settings, database, postgres, new_load, note
):
    server = start_server(**settings).wait_until_ready()
    client = new_load(server, database, people=1).clients[0]
    with proxy_to("127.0.0.1", postgres.main.port) as proxy, database.connect() as conn:
        settings |= database.settings(proxy.port)
        start_consumer()
        with database.locked("order_events") as waiting:
            client.order()
            assert eventually(lambda: waiting() == 1), "the consumer is at work"
            proxy.lose()
        began = monotonic()
        assert eventually(lambda: unhandled(conn) == 0)
        recovery = monotonic() - began
    note("the consumer's connections dead", "event handled after", recovery=recovery)


def test_no_event_is_lost_when_the_broker_limits_deliveries(
    start_server, start_consumer, settings, database, postgres, channel, new_load, note
):
    """The database is away for longer than the consumer would need for ten times the limit, if it
    handed the events back every half a second."""
    settings |= {"RMQ_QUEUE_TYPE": "quorum", "POSTGRES_TRANSACTION_TIMEOUT": "1"}
    limited = {"x-queue-type": "quorum", "x-delivery-limit": 3}
    channel.queue_declare(settings["RMQ_QUEUE"], durable=True, arguments=limited)
    server = start_server(**settings).wait_until_ready()
    client = new_load(server, database, people=1).clients[0]
    start_consumer()
    with suppress(psycopg.OperationalError), database.locked("order_events") as waiting:
        for _ in range(30):
            client.order()
        assert eventually(lambda: waiting() == 1), "the consumer is at work"
        postgres.stop()
    began = monotonic()
    while monotonic() < began + 15.0:
        client.read()
    postgres.start()
    back = monotonic()
    client.order_again()
    with database.connect() as conn:
        assert eventually(lambda: unhandled(conn) == 0, 30)
        recovery = monotonic() - back
    assert_balanced(database)
    dead = channel.queue_declare(f"{settings['RMQ_QUEUE']}.dead", passive=True).method
    note("PostgreSQL gone 15 s, delivery limit 3", "30 events handled once", recovery=recovery)
    assert dead.message_count == 0
    assert database.fetch(PARKED) == [{"n": 0}]


def test_killed_between_publish_and_mark_the_event_is_handled_once(
    start_server, start_consumer, settings, database, rabbitmq, channel, new_load, note
):
    server = start_server(**settings).wait_until_ready()
    client = new_load(server, database, people=1).clients[0]
    queue = settings["RMQ_QUEUE"]

    def depth() -> int:
        return channel.queue_declare(queue, passive=True).method.message_count

    client.order()
    assert eventually(lambda: database.fetch(DONE) == [{"n": 1}]), "the way is open"
    rabbitmq.hang(only_answers=True)
    client.order()
    assert eventually(lambda: depth() == 2), "published, and not confirmed"
    os.killpg(server.process.pid, signal.SIGKILL)
    rabbitmq.flow()
    start_server(**settings)
    assert eventually(lambda: depth() == 3), "published again"

    start_consumer()
    assert_balanced(database)
    assert eventually(lambda: depth() == 0)
    assert_balanced(database)
    note("kill -9 between publish and mark", "2 orders, 3 messages, 2 events handled")
