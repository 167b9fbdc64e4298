"""The live stream while writers are slow, workers die, PostgreSQL is away, and servers stop."""

import os
import random
import signal
from contextlib import suppress
from threading import Thread
from time import monotonic, sleep

import httpx
import pytest
from event_source import EventSource
from live_server import NO_LIMITS
from own_redis import OwnRedis, needs_redis_server
from shop import eventually

EVENTS = 1000
PASSWORD = {"password": "gopher1!", "password_confirm": "gopher1!"}


class Member:
    def __init__(self, url, user_name):
        body = {"user_name": user_name, "first_name": "Anna", "last_name": "P", **PASSWORD}
        made = httpx.post(f"{url}/api/auth/register", json=body, timeout=30)
        assert made.status_code == 201, made.text
        self.headers = {"Authorization": f"Bearer {made.json()['access_token']}"}
        self.id = httpx.get(f"{url}/api/users/me", headers=self.headers).json()["id"]

    def follow(self, url, other):
        path = f"{url}/api/users/{other.id}/follow"
        assert httpx.post(path, headers=self.headers).status_code == 201

    def write(self, url, text="Hello"):
        made = httpx.post(f"{url}/api/posts", headers=self.headers, json={"text": text}, timeout=30)
        assert made.status_code == 201, made.text
        return made.json()["id"]


@pytest.fixture
def fresh(postgres):
    return postgres.new_database()


@pytest.fixture
def start(start_server, fresh):
    """A server on the same database as the others."""
    return lambda **more: start_server(
        **fresh.settings(), **{**NO_LIMITS, **more}
    ).wait_until_ready()


@pytest.fixture
def write_slowly(fresh):
    """Starts a writer of posts whose transactions stay open for a while, some of them long after
    later ones have been committed. Gives the thread."""

    def write_slowly(member, number):
        def write():
            with fresh.connect() as conn:
                for n in range(number):
                    with conn.transaction():
                        conn.execute(
                            "INSERT INTO posts (text, user_id) VALUES (%s, %s)",
                            (f"{member.id}: {n}", member.id),
                        )
                        sleep(random.choice((0, 0, 0.005, 0.02, 0.1)))

        thread = Thread(target=write)
        thread.start()
        return thread

    return write_slowly


def test_a_thousand_events_of_slow_writers_and_a_reader_who_reconnects_after_each(
    start, write_slowly, fresh, note
):
    servers = [start(WORKERS="2"), start(WORKERS="2")]
    url = servers[0].url
    anna, boris, carl = (Member(url, f"gopher_{name}") for name in ("anna", "boris", "carl"))
    for author in (anna, boris):
        carl.follow(url, author)
    first = EventSource(url, carl.headers)
    first.close()
    writers = [write_slowly(author, EVENTS // 2) for author in (anna, boris)]
    last_id, seen, connections = first.last_id, [], 0
    while len(seen) < EVENTS:
        source = EventSource(random.choice(servers).url, carl.headers, last_id, limit=1)
        connections += 1
        assert source.status == 200, source.answer.text
        assert source.wait(lambda source=source: source.events), f"{len(seen)} came"
        seen += [event.json()["text"] for event in source.events]
        last_id = source.last_id
        source.close()
    for writer in writers:
        writer.join()
    rest = EventSource(url, carl.headers, last_id)
    post = anna.write(url, "The last one")
    assert rest.wait_for("post")[0].json()["id"] == post
    written = [row["text"] for row in fresh.fetch("SELECT text FROM posts ORDER BY id")][:-1]
    assert len(written) == EVENTS
    assert sorted(seen) == sorted(written), "none lost, none twice"
    note(f"{EVENTS} events, {connections} connections", f"{len(set(seen))} seen, each once")


def test_streams_stay_open_while_postgresql_is_away(start, postgres, note):
    server = start()
    anna = Member(server.url, "gopher_anna")
    stream = EventSource(server.url, anna.headers)
    anna.write(server.url)
    stream.wait_for("post")
    behind = stream.last_id
    postgres.stop()
    sleep(60)
    assert not stream.is_over
    assert stream.comments >= 1, "it is kept open"
    back = postgres.start()
    assert eventually(lambda: httpx.get(f"{server.url}/api/health-check").status_code == 200)
    post = anna.write(server.url, "Back")
    [event] = stream.wait_for("post")
    assert event.json()["id"] == post
    again = EventSource(server.url, anna.headers, behind)
    assert again.wait_for("post")[0].json()["id"] == post
    note("PostgreSQL away for 60 s", "the stream goes on", None, monotonic() - back)


def test_a_worker_that_is_killed_loses_no_event(start):
    server = start(WORKERS="2")
    anna = Member(server.url, "gopher_anna")
    stream = EventSource(server.url, anna.headers)
    anna.write(server.url, "Before")
    stream.wait_for("post")
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)
    stream.wait_until_over()
    server.wait_until_ready()
    posts = [anna.write(server.url, f"Meanwhile {n}") for n in range(3)]
    again = EventSource(server.url, anna.headers, stream.last_id)
    assert [event.json()["id"] for event in again.wait_for(*["post"] * 3)] == posts


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_streams_in_order(start, note, how):
    server = start()
    anna = Member(server.url, "gopher_anna")
    streams = [EventSource(server.url, anna.headers) for _ in range(5)]
    began = monotonic()
    server.process.send_signal(how)
    for stream in streams:
        stream.wait_until_over(5)
    assert server.process.wait(10) == 0
    note(f"{how.name} with five streams", "they end", monotonic() - began)
    assert monotonic() - began < 5
    assert "Traceback" not in server.log.read_text()


@needs_redis_server
def test_five_streams_over_all_servers(start, tmp_path):
    redis = OwnRedis(tmp_path)
    redis.start()
    try:
        shared = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis.port)}
        servers = [start(**shared), start(**shared)]
        anna = Member(servers[0].url, "gopher_anna")
        streams = [EventSource(servers[n % 2].url, anna.headers) for n in range(5)]
        assert [EventSource(each.url, anna.headers).status for each in servers] == [429, 429]
        streams[0].close()
        opened = []

        def is_open():
            opened.append(EventSource(servers[1].url, anna.headers))
            return opened[-1].status == 200

        assert eventually(is_open)
        # What a dead server had open does not count for long.
        servers[0].process.kill()
        with suppress(ProcessLookupError):
            os.killpg(servers[0].process.pid, signal.SIGKILL)
        assert eventually(is_open, 20)
        redis.kill()
        assert EventSource(servers[1].url, anna.headers).status in (200, 429)
    finally:
        redis.kill()
