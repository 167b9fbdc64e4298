"""The relay without RabbitMQ: events go from the outbox straight to their event_service."""

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import sleep
from uuid import uuid4

import pytest
from alerts import Scrapes
from psycopg.types.json import Jsonb
from shop import count, eventually, new_order, new_product, new_user

from background.relay import run_relay
from repositories import order_repository, outbox_repository
from repositories.sql import execute, fetch_all, fetch_one, transaction
from services import event_service, metrics_service, order_service, outbox_service, sweep_service
from services.event_service import from_message, handle, to_message
from services.outbox_service import DeliveryRejected, relay_batch
from utils import context
from utils.background_thread import in_background
from utils.errors import Unavailable

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def shop(db):
    return new_user("gopher_anna"), new_product()


def add(event, payload):
    execute("INSERT INTO outbox (event, payload) VALUES (%s, %s)", (event, Jsonb(payload)))


def waiting():
    return count("outbox", "done_at IS NULL AND parked_at IS NULL")


def test_hands_over_and_marks(shop):
    order, other = new_order(*shop), new_order(*shop)

    assert relay_batch(handle) == 2
    assert (waiting(), count("outbox", "done_at IS NOT NULL")) == (0, 2)
    rows = fetch_all("SELECT order_id::text AS id, event FROM order_events ORDER BY happened_at")
    assert rows == [{"id": each["id"], "event": "new_order"} for each in (order, other)]
    assert relay_batch(handle) == 0


def test_the_trace_of_the_request_goes_along(shop):
    context.continue_trace(TRACE)
    new_order(*shop)
    context.continue_trace(None)
    seen = []

    relay_batch(lambda event, conn: seen.append((event, context.traceparent.get())))
    [(event, while_handled)] = seen
    assert while_handled == event.traceparent == TRACE
    assert from_message(to_message(event)) == event
    assert context.traceparent.get() is None, "it ends with the event"


def test_an_event_is_handled_once_however_often_it_comes(shop):
    new_order(*shop)
    relay_batch(handle)
    execute("UPDATE outbox SET done_at = NULL")

    assert relay_batch(handle) == 1
    assert (waiting(), count("order_events")) == (0, 1)


def test_two_relays_share_the_work(shop):
    for _ in range(10):
        new_order(*shop)
    seen: list[str] = []
    both_have_claimed = Barrier(2)

    def deliver(event, conn):
        if len(seen) < 1:
            seen.append(event.event_id)
            both_have_claimed.wait(10)
        else:
            seen.append(event.event_id)

    def second():
        # Claims while the first still holds its rows: nothing is left for it.
        with transaction() as conn:
            rows = outbox_repository.claim(50, conn)
            both_have_claimed.wait(10)
            return rows

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(relay_batch, deliver)
        assert eventually(lambda: seen)
        assert threads.submit(second).result() == []
        assert first.result() == 10
    assert len(set(seen)) == len(seen) == 10


def test_what_is_too_slow_for_one_round_comes_in_the_next(shop, monkeypatch):
    for _ in range(3):
        new_order(*shop)
    monkeypatch.setattr(outbox_service, "BATCH_SECONDS", 0.05)

    def deliver(event, conn):
        sleep(0.1)

    for left in (2, 1, 0):
        relay_batch(deliver)
        assert waiting() == left


def test_an_order_that_is_rolled_back_tells_nothing(shop):
    user_id, product_id = shop
    items = [{"product_id": product_id, "quantity": 1}]

    def order_and_fail():
        with transaction() as conn:
            order_repository.create_order({"id": uuid4(), "user_id": user_id, "items": items}, conn)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        order_and_fail()
    assert (count("orders"), waiting()) == (0, 0)


@pytest.mark.parametrize(
    ("event", "payload"),
    [("unknown", {}), ("new_order", {}), ("new_order", {"order_id": 5}), ("new_order", ["x"])],
)
def test_poison_is_parked_and_stops_nobody(shop, event, payload):
    add(event, payload)
    new_order(*shop)

    assert relay_batch(handle) == 2
    assert count("outbox", "parked_at IS NOT NULL AND done_at IS NULL") == 1
    assert (waiting(), count("order_events")) == (0, 1)


def test_what_fails_waits_and_is_parked_in_the_end(shop):
    seen = Scrapes(lambda: metrics_service.exposition().decode())
    add("new_order", {"order_id": "00000000-0000-4000-8000-000000000000"})
    new_order(*shop)

    relay_batch(handle)
    assert (waiting(), count("order_events")) == (1, 1)
    assert relay_batch(handle) == 0  # it is not due yet
    for _ in range(outbox_service.MAX_ATTEMPTS - 1):
        execute("UPDATE outbox SET due_at = now()")
        assert relay_batch(handle) == 1
    assert (waiting(), count("outbox", "parked_at IS NOT NULL")) == (0, 1)
    seen.scrape()
    assert seen.raises("GopherTalkEventsParked")


def test_a_batch_that_the_broker_refuses_is_one_line_in_the_log(shop, caplog):
    for _ in range(outbox_service.BATCH_ROWS + 5):
        new_order(*shop)

    def refuse(event, conn):
        raise DeliveryRejected("no queue takes it")

    assert relay_batch(refuse) == 0, "the relay pauses before the next batch"
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert f"refused {outbox_service.BATCH_ROWS} events" in line
    assert "no queue takes it" in line
    assert count("outbox", "attempts = 1") == outbox_service.BATCH_ROWS


def test_half_of_a_handler_is_undone(shop, monkeypatch):
    def fail_late(event, conn):
        event_service.handle_new_order(event, conn)
        raise RuntimeError("after the insert")

    new_order(*shop)
    monkeypatch.setitem(event_service.HANDLERS, "new_order", fail_late)
    relay_batch(handle)
    assert (waiting(), count("order_events")) == (1, 0)


def test_nothing_is_marked_when_nobody_can_be_reached(shop):
    new_order(*shop)

    def away(event, conn):
        raise Unavailable("gone")

    with pytest.raises(Unavailable):
        relay_batch(away)
    row = fetch_one("SELECT attempts, done_at FROM outbox")
    assert row == {"attempts": 0, "done_at": None}


def test_goes_on_after_a_fault(shop, monkeypatch):
    faults = iter([Unavailable("gone"), RuntimeError("odd")])

    def deliver(event, conn):
        for fault in faults:
            raise fault
        handle(event, conn)

    monkeypatch.setattr(event_service, "handle", deliver)
    new_order(*shop)
    with in_background(run_relay):
        assert eventually(lambda: waiting() == 0)
    assert count("order_events") == 1


def test_ends_when_it_is_told(shop):
    stop = Event()
    stop.set()
    run_relay(stop)


def test_says_when_events_wait_for_long(shop, caplog):
    new_order(*shop)
    with caplog.at_level(logging.ERROR):
        outbox_service.alert_when_late()
        assert not caplog.records
        execute("UPDATE outbox SET created_at = now() - interval '61 seconds'")
        outbox_service.alert_when_late()
    assert "waited for 61 seconds" in caplog.text


def test_sweeps_what_has_served_its_time(shop):
    user_id, product_id = shop
    for key in ("old", "young"):
        wanted = [{"product_id": product_id, "quantity": 1}]
        context.idempotency_key.set(context.IdempotencyKey(user_id, "/api/orders", key))
        order_service.create(user_id, wanted)
    relay_batch(handle)
    execute(
        "UPDATE idempotency_keys SET created_at = now() - interval '26 hours' WHERE key = 'old'"
    )
    execute("UPDATE outbox SET done_at = now() - interval '25 hours' WHERE id = 1")

    assert sweep_service.sweep() == 2
    assert (count("idempotency_keys"), count("outbox"), count("orders")) == (1, 1, 2)
