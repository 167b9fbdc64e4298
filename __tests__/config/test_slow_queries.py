"""A statement that takes long leaves one line, without its parameters."""

import logging
from math import inf

import pytest

from config import db
from config.pool import TimedCursor
from config.settings import get_settings
from repositories.sql import execute, fetch_all, fetch_one, transaction
from utils.errors import Unavailable
from utils.request_budget import start_request


@pytest.fixture
def slow(database, caplog, monkeypatch):
    """Every statement over 20 ms is slow; gives the lines about them."""
    monkeypatch.setattr(TimedCursor, "slow_seconds", 0.02)
    caplog.set_level(logging.DEBUG)
    return lambda: [each for each in caplog.records if each.getMessage().startswith("slow query, ")]


def test_a_slow_statement_is_a_warning_with_its_sql_and_nothing_of_its_parameters(slow):
    fetch_one("SELECT pg_sleep(%s),\n    %s::text AS text", (0.05, "hush"))

    (line,) = slow()
    assert line.levelno == logging.WARNING
    assert line.getMessage().endswith(" ms: SELECT pg_sleep(%s), %s::text AS text")
    assert 50 <= int(line.getMessage().split()[2]) < 20_000


def test_a_fast_one_leaves_none(slow, monkeypatch):
    monkeypatch.setattr(TimedCursor, "slow_seconds", 60.0)
    fetch_all("SELECT pg_sleep(0.05)")

    assert slow() == []


def test_a_statement_within_a_transaction_is_seen_too(slow):
    with transaction() as conn:
        execute("SELECT pg_sleep(0.05)", (), conn)

    assert len(slow()) == 1


def test_so_is_one_that_was_cut_off(slow):
    start_request(0.1)
    with pytest.raises(Unavailable):
        fetch_one("SELECT pg_sleep(30) AS cut_off")

    assert len([line for line in slow() if "cut_off" in line.getMessage()]) == 1


@pytest.mark.parametrize(("milliseconds", "seconds"), [(250, 0.25), (0, inf)])
def test_the_setting_is_in_milliseconds_and_0_turns_it_off(milliseconds, seconds, monkeypatch):
    monkeypatch.setattr(TimedCursor, "slow_seconds", 1.0)
    monkeypatch.setattr(db, "pool", db._new_pool())
    db.open_pool(get_settings().model_copy(update={"slow_query_ms": milliseconds}), dict)
    db.close_pool()

    assert TimedCursor.slow_seconds == seconds
