"""How long a piece of work on the database may still take. The clock stands still here."""

from contextvars import copy_context
from math import inf
from threading import Thread
from unittest.mock import patch

import pytest

from utils.request_budget import (
    MIN_WORK_SECONDS,
    current_budget,
    limit_database_seconds,
    start_request,
)


@pytest.fixture(autouse=True)
def clock():
    with patch("utils.request_budget.monotonic", return_value=1000.0) as clock:
        yield clock


def request_of(seconds, work):
    """What the function returns in a request that may use the database for so long."""

    def run():
        start_request(seconds)
        return work()

    return copy_context().run(run)


def left_after_start(degraded):
    current_budget().start_work(degraded)
    return current_budget().seconds_left()


@pytest.mark.parametrize("degraded", [False, True])
def test_where_nobody_set_a_limit_there_is_none(clock, degraded):
    current_budget().start_work(degraded)
    clock.return_value += 60.0

    assert current_budget().seconds_left() == inf
    assert current_budget().redis_wait_seconds == 0.0


@pytest.mark.parametrize(("passed", "left"), [(0.0, 2.0), (0.5, 1.5), (2.0, 0.0), (60.0, 0.0)])
def test_a_limit_runs_down_to_nothing(clock, passed, left):
    def work():
        current_budget().start_work(degraded=False)
        clock.return_value += passed
        return current_budget().seconds_left()

    assert request_of(2.0, work) == left


@pytest.mark.parametrize(
    ("degraded", "waited", "left"),
    [
        (False, 0.5, 1.5),
        (False, 1.75, MIN_WORK_SECONDS),
        (False, 60.0, MIN_WORK_SECONDS),
        (True, 0.5, 1.5),
        (True, 60.0, 0.0),
    ],
)
def test_the_wait_before_the_work_counts_but_there_is_a_minimum_unless_the_database_is_degraded(
    clock, degraded, waited, left
):
    def work():
        clock.return_value += waited
        return left_after_start(degraded)

    assert request_of(2.0, work) == left


def test_a_request_can_lose_its_minimum(clock):
    def work():
        clock.return_value += 60.0
        current_budget().drop_minimum()
        return left_after_start(degraded=False)

    assert request_of(2.0, work) == 0.0


@pytest.mark.parametrize(("degraded", "left"), [(False, MIN_WORK_SECONDS), (True, 0.25)])
def test_a_second_piece_of_work_has_what_the_first_left(clock, degraded, left):
    def work():
        current_budget().start_work(degraded)
        clock.return_value += 1.75
        return left_after_start(degraded)

    assert request_of(2.0, work) == left


@pytest.mark.parametrize(("degraded", "left"), [(False, MIN_WORK_SECONDS), (True, 0.25)])
def test_another_limit_leaves_the_arrival_as_it_was(clock, degraded, left):
    def work():
        clock.return_value += 0.75
        limit_database_seconds(1.0)
        return left_after_start(degraded)

    assert request_of(2.0, work) == left


def test_a_limit_below_the_minimum_is_kept(clock):
    def work():
        clock.return_value += 60.0
        return left_after_start(degraded=False)

    assert request_of(0.25, work) == 0.25


def test_a_wait_for_something_else_does_not_count(clock):
    def work():
        clock.return_value += 60.0
        current_budget().restart()
        return left_after_start(degraded=True)

    assert request_of(2.0, work) == 2.0


def test_in_the_background_each_piece_of_work_has_the_whole_time(clock):
    def work():
        limit_database_seconds(1.0)
        current_budget().add_redis_wait(9.0)
        clock.return_value += 60.0
        first = left_after_start(degraded=True)
        clock.return_value += 60.0
        return first, left_after_start(degraded=True), current_budget().redis_wait_seconds

    assert copy_context().run(work) == (1.0, 1.0, 0.0)


def test_each_request_has_its_own_budget():
    def arrive(seconds):
        start_request(seconds)
        current_budget().add_redis_wait(seconds / 10)

    def read():
        return left_after_start(degraded=False), current_budget().redis_wait_seconds

    first, second = copy_context(), copy_context()
    first.run(arrive, 1.0)
    second.run(arrive, 2.0)

    assert first.run(read) == (1.0, 0.1)
    assert second.run(read) == (2.0, 0.2)


def test_the_threads_of_a_request_share_its_budget():
    def request():
        thread = Thread(target=copy_context().run, args=(current_budget().add_redis_wait, 0.25))
        thread.start()
        thread.join()
        return current_budget().redis_wait_seconds

    assert request_of(2.0, request) == 0.25
