"""A statement that may lag is asked of a replica, but for whom the mark in Redis forbids it."""

from contextvars import copy_context
from time import monotonic

import pytest
from psycopg import OperationalError
from shop import REDIS, needs_redis, settings_with, unique

from config import db, redis
from repositories import replicas
from repositories.sql import execute, fetch_one, transaction
from utils import context

MEMBER = 4_000_000_001
WHERE = "SELECT current_setting('application_name') AS name"


@pytest.fixture
def replica(database, monkeypatch):
    """The primary in its place, under another name; fresh for as long as a test needs."""
    pool = db._new_pool()
    primary = db.pool.conninfo
    pool.conninfo = lambda: f"{primary()} application_name=replica"
    pool.kwargs = db.pool.kwargs
    pool.open()
    pool.fresh_until = monotonic() + 600
    monkeypatch.setattr(db, "replicas", [pool])
    yield pool
    pool.close()


@pytest.fixture
def with_redis(monkeypatch):
    stem = unique("gt-test")
    monkeypatch.setattr(replicas, "_key", lambda user_id: f"{stem}{user_id}")
    with settings_with(REDIS_HOST=REDIS[0]) as settings:
        redis.open_redis(settings)
        yield
        redis.close_redis()


def asked(member_id=None, may_lag=True):
    """Who answers a request of this member."""

    def request():
        context.member_id.set(member_id)
        return fetch_one(WHERE, may_lag=may_lag)["name"]

    return copy_context().run(request)


def write(member_id, how):
    def request():
        context.member_id.set(member_id)
        how()
        return fetch_one(WHERE, may_lag=True)["name"]

    return copy_context().run(request)


def in_transaction():
    with transaction() as conn:
        execute("UPDATE products SET name = name WHERE false", (), conn)


def alone():
    execute("UPDATE products SET name = name WHERE false")


def test_without_replicas_the_primary_is_asked(database):
    assert asked() == "gophertalk"


def test_only_what_says_so(replica):
    assert (asked(), asked(may_lag=False)) == ("replica", "gophertalk")


def test_not_one_that_is_late(replica):
    replica.fresh_until = monotonic()
    assert asked() == "gophertalk"


def test_when_it_fails_the_primary_answers_and_it_is_not_asked_again(replica, monkeypatch):
    def fail(*_):
        raise OperationalError("gone")

    monkeypatch.setattr(replica, "connection", fail)
    assert asked() == "gophertalk"
    assert replica.fresh_until == 0.0


def test_without_redis_members_read_the_primary(replica):
    assert (asked(), asked(MEMBER)) == ("replica", "gophertalk")


@needs_redis
@pytest.mark.parametrize("how", [in_transaction, alone])
def test_who_has_written_reads_the_primary_for_a_while(replica, with_redis, monkeypatch, how):
    assert asked(MEMBER) == "replica"
    assert write(MEMBER, how) == "gophertalk", "in the same request"
    assert asked(MEMBER) == "gophertalk", "in the next"
    assert asked(MEMBER + 1) == "replica", "others do not"
    assert 0 < redis.ask(lambda client: client.pttl(replicas._key(MEMBER))) <= 2000


@needs_redis
def test_a_write_that_failed_is_none(replica, with_redis):
    def fail():
        with pytest.raises(ValueError, match="no"), transaction():
            raise ValueError("no")

    assert write(MEMBER, fail) == "replica"


@needs_redis
def test_whoever_logs_in_reads_their_new_account(replica, with_redis):
    replicas.note_write(MEMBER)
    assert asked(MEMBER) == "gophertalk"
