"""The app itself is stopped, killed and frozen in the middle of its work."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Thread
from time import monotonic, sleep
from uuid import uuid4

import httpx
import pytest
from books import assert_balanced, unhandled
from live_server import NO_LIMITS
from load import NO_ANSWER, back_after, tally
from shop import eventually

SHUTDOWN_SECONDS = 10.0
IN_TRANSACTION = """
    SELECT count(*) AS n FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""


@pytest.fixture
def fresh(postgres):
    """A database that no other app works on."""
    return postgres.new_database()


def takes_no_connection(server):
    try:
        httpx.get(f"{server.url}/api/health-check", timeout=2.0)
    except httpx.TransportError:
        return True
    return False


def at_once(clients):
    """Each writes a post; gives what will be their answers."""
    threads = ThreadPoolExecutor(len(clients))
    body = {"text": f"At once: {uuid4()}"}
    asked = [
        threads.submit(client.ask, "post", "POST", "/api/posts", json=body) for client in clients
    ]
    threads.shutdown(wait=False)
    return asked


def test_a_stop_lets_twenty_requests_finish(start_server, fresh, new_load, note):
    patient = {"DB_POOL_MAX": "22", "POSTGRES_TRANSACTION_TIMEOUT": "8"}
    server = start_server(**fresh.settings(), **NO_LIMITS, **patient).wait_until_ready()
    load = new_load(server, fresh, people=20)
    with fresh.locked("posts") as waiting:
        asked = at_once(load.clients)
        assert eventually(lambda: waiting() == 20)
        began = monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: takes_no_connection(server))
        assert server.process.poll() is None, "it waits for them"
    answers = [each.result() for each in asked]
    assert server.process.wait(10) == 0
    ended = monotonic() - began
    assert all(answers), tally([client.answers[-1] for client in load.clients])
    assert ended < SHUTDOWN_SECONDS
    losses = load.losses()
    assert losses == 0
    assert_balanced(fresh)
    assert fresh.fetch("SELECT count(*) AS n FROM posts") == [{"n": 20}]
    seen = f"20 good, no new ones; ended in {ended:.1f} s"
    note("SIGTERM with 20 requests running", seen, losses=losses)


def test_a_stop_waits_no_longer_than_allowed(start_server, fresh, new_load, note):
    patient = {"DB_POOL_MAX": "60", "POSTGRES_TRANSACTION_TIMEOUT": "30", "SHUTDOWN_TIMEOUT": "3"}
    server = start_server(**fresh.settings(), **NO_LIMITS, **patient).wait_until_ready()
    load = new_load(server, fresh, people=50)
    with fresh.locked("posts") as waiting:
        asked = at_once(load.clients)
        assert eventually(lambda: waiting() >= 40)
        began = monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(25)
        ended = monotonic() - began
    assert not any(each.result() for each in asked)
    note("SIGTERM, 50 requests that do not end", f"SHUTDOWN_TIMEOUT=3; ended in {ended:.1f} s")
    assert ended < 3.0 + 2.0


def test_a_stop_waits_for_no_dependency(start_server, postgres, fresh, note):
    server = start_server(**fresh.settings(), **NO_LIMITS).wait_until_ready()
    postgres.freeze()
    assert eventually(lambda: httpx.get(f"{server.url}/api/health-check").status_code == 500)
    began = monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(25) == 0
    ended = monotonic() - began
    note("SIGTERM while PostgreSQL hangs", f"ended in {ended:.1f} s")
    assert ended < SHUTDOWN_SECONDS


def test_a_killed_worker_is_replaced_and_requests_go_on(start_server, fresh, new_load, note):
    server = start_server(**fresh.settings(), **NO_LIMITS, WORKERS="2").wait_until_ready()
    assert eventually(lambda: len(server.workers()) == 2)
    before = set(server.workers())
    with new_load(server, fresh) as load:
        load.go_on(1.0)
        began = monotonic()
        os.kill(min(before), signal.SIGKILL)
        load.go_on(4.0)
    during = load.answers(since=began)
    cut = [answer for answer in during if not answer.good]
    assert {answer.status for answer in cut} <= {NO_ANSWER}, tally(during)
    assert not [answer for answer in cut if answer.ended > began + 3.0]
    assert eventually(lambda: len(server.workers()) == 2)
    assert len(before & set(server.workers())) == 1
    load.settle()
    worst = max(answer.seconds for answer in during)
    losses = load.losses()
    assert losses == 0
    assert_balanced(fresh)
    note("SIGKILL of one of two workers", tally(during), worst, back_after(during, began), losses)
    assert worst < 3.0


def test_a_killed_app_loses_no_event_between_commit_and_handling(
    start_server, fresh, new_load, note
):
    server = start_server(**fresh.settings(), **NO_LIMITS).wait_until_ready()
    client = new_load(server, fresh, people=1).clients[0]
    with fresh.locked("order_events") as waiting:
        for _ in range(5):
            client.order()
        assert client.statuses()[-5:] == [201] * 5
        assert eventually(lambda: waiting() >= 1), "the handler is at work"
        os.killpg(server.process.pid, signal.SIGKILL)
    with fresh.connect() as conn:
        assert unhandled(conn) == 5
        began = monotonic()
        start_server(**fresh.settings(), **NO_LIMITS)
        assert eventually(lambda: unhandled(conn) == 0)
    recovery = monotonic() - began
    assert_balanced(fresh)
    note(
        "kill -9 between commit and handling",
        "5 orders, 5 events handled once",
        recovery=recovery,
    )


def test_killed_under_load_nothing_acknowledged_is_lost(
    start_server, fresh, new_load, note, scrapes
):
    server = start_server(**fresh.settings(), **NO_LIMITS).wait_until_ready()
    seen = scrapes(server)
    with new_load(server, fresh) as load:
        load.go_on(1.0)
        os.killpg(server.process.pid, signal.SIGKILL)
        seen.scrape()
    assert seen.raises("GopherTalkDown")
    start_server(**fresh.settings(), **NO_LIMITS, PORT=str(server.port)).wait_until_ready()
    load.settle()
    losses = load.losses()
    assert losses == 0
    assert_balanced(fresh)
    note("kill -9 of the app under load", tally(load.answers()), losses=losses)


def test_an_app_frozen_in_mid_transaction(start_server, fresh, new_load, note):
    """As a paused virtual machine: PostgreSQL has ended its transactions meanwhile."""
    # On a busy machine all orders must wait for the lock before the first is given up.
    patient = {"POSTGRES_TRANSACTION_TIMEOUT": "8"}
    server = start_server(**fresh.settings(), **NO_LIMITS, **patient).wait_until_ready()
    load = new_load(server, fresh)
    threads = [Thread(target=client.order) for client in load.clients]
    with fresh.locked("products") as waiting:
        for thread in threads:
            thread.start()
        assert eventually(lambda: waiting() == len(threads))
        server.process.send_signal(signal.SIGSTOP)
    assert eventually(lambda: fresh.fetch(IN_TRANSACTION) == [{"n": 0}], 30)
    back = monotonic()  # before the signal: an answer may come before the next line here
    server.process.send_signal(signal.SIGCONT)
    for thread in threads:
        thread.join()
    answers = load.answers(since=back)
    assert [answer.status for answer in answers] == [503] * len(threads)
    load.settle()
    losses = load.losses()
    assert losses == 0
    assert_balanced(fresh)
    recovery = back_after(load.answers(since=back), back)
    note("the app frozen in mid-transaction", tally(answers), None, recovery, losses)


def test_a_post_with_a_key_is_made_once_whenever_the_server_is_killed(start_server, fresh, note):
    """Before the key is committed, around that moment, and after it."""
    names = {"user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"}
    passwords = {"password": "gopher1!", "password_confirm": "gopher1!"}
    client = httpx.Client(timeout=30)

    def start():
        return start_server(**fresh.settings(), **NO_LIMITS).wait_until_ready()

    def send(server, key):
        body, headers = {"text": f"Text of {key}"}, {"Idempotency-Key": key}
        with suppress(httpx.TransportError):
            return client.post(f"{server.url}/api/posts", json=body, headers=headers)

    def made(key):
        """The number of its posts, and of its answers that are stored."""
        query = """
            SELECT (SELECT count(*) FROM posts WHERE text = %s) AS posts,
                   (SELECT count(answer) FROM idempotency_keys WHERE key = %s) AS answers
        """
        [row] = fresh.fetch(query, (f"Text of {key}", key))
        return row["posts"], row["answers"]

    server = start()
    pair = client.post(f"{server.url}/api/auth/register", json=names | passwords).json()
    client.headers["Authorization"] = f"Bearer {pair['access_token']}"
    before = 0
    with ThreadPoolExecutor(1) as thread:
        with fresh.locked("posts") as waiting:
            asked = thread.submit(send, server, "waiting")
            assert eventually(lambda: waiting() == 1)
            server.process.kill()
            assert asked.result() is None
        assert eventually(lambda: waiting() == 0)
        assert made("waiting") == (0, 0)
        for milliseconds in (1, 3, 5, 7, 10, 50):
            server, key = start(), f"key-{milliseconds}"
            client.get(f"{server.url}/api/posts")  # the next request needs no connection
            asked = thread.submit(send, server, key)
            sleep(milliseconds / 1000)
            server.process.kill()
            asked.result()
            assert made(key) in {(0, 0), (1, 1)}
            before += made(key)[0]
            server = start()
            assert send(server, key).status_code == 201
            assert made(key) == (1, 1)
        assert send(server, "waiting").status_code == 201
    assert made("waiting") == (1, 1)
    note("kill -9 around a write with a key", f"7 kills, 7 posts; {before} made before the kill")
