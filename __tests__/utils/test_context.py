"""How long a piece of work on the database may still take. The clock stands still here."""

from contextvars import copy_context
from threading import Thread
from unittest.mock import patch

import pytest

from utils import context


@pytest.fixture
def clock():
    with patch("utils.context.monotonic", return_value=1000.0) as clock:
        yield clock


@pytest.fixture
def request_context():
    """Runs a function as a request of its own, which nobody else sees."""
    return copy_context().run


@pytest.mark.parametrize("since_arrival", [False, True])
def test_where_nobody_set_a_limit_the_default_counts(request_context, clock, since_arrival):
    def script():
        context.start_clock(since_arrival)
        clock.return_value += 60.0
        return context.seconds_left(default=30.0)

    assert request_context(script) == 30.0


def test_before_the_work_begins_the_default_counts(request_context, clock):
    def request():
        context.arrive(2.0)
        clock.return_value += 60.0
        return context.seconds_left(default=30.0)

    assert request_context(request) == 30.0


@pytest.mark.parametrize(("passed", "left"), [(0.0, 2.0), (0.5, 1.5), (2.0, 0.0), (60.0, 0.0)])
def test_a_limit_runs_down_to_nothing(request_context, clock, passed, left):
    def request():
        context.arrive(2.0)
        context.start_clock(since_arrival=False)
        clock.return_value += passed
        return context.seconds_left(default=30.0)

    assert request_context(request) == left


@pytest.mark.parametrize(
    ("since_arrival", "waited", "left"),
    [
        (False, 0.5, 1.5),
        (False, 1.75, context.LEAST),
        (False, 60.0, context.LEAST),
        (True, 0.5, 1.5),
        (True, 60.0, 0.0),
    ],
)
def test_the_wait_before_the_work_counts_but_refuses_in_bad_times_alone(
    request_context, clock, since_arrival, waited, left
):
    def request():
        context.arrive(2.0)
        clock.return_value += waited
        context.start_clock(since_arrival)
        return context.seconds_left(default=30.0)

    assert request_context(request) == left


def test_who_was_held_up_is_refused_in_good_times_too(request_context, clock):
    def request():
        context.arrive(2.0)
        clock.return_value += 60.0
        context.hold_up()
        context.start_clock(since_arrival=False)
        return context.seconds_left(default=30.0)

    assert request_context(request) == 0.0


@pytest.mark.parametrize(("since_arrival", "left"), [(False, context.LEAST), (True, 0.25)])
def test_a_second_piece_of_work_has_what_the_first_left(
    request_context, clock, since_arrival, left
):
    def request():
        context.arrive(2.0)
        context.start_clock(since_arrival)
        clock.return_value += 1.75
        context.start_clock(since_arrival)
        return context.seconds_left(default=30.0)

    assert request_context(request) == left


@pytest.mark.parametrize(("since_arrival", "left"), [(False, context.LEAST), (True, 0.25)])
def test_the_last_limit_counts_and_the_arrival_stays(request_context, clock, since_arrival, left):
    def request():
        context.arrive(2.0)
        clock.return_value += 0.75
        context.allow_seconds(1.0)
        context.start_clock(since_arrival)
        return context.seconds_left(default=30.0)

    assert request_context(request) == left


def test_a_limit_below_the_least_is_kept(request_context, clock):
    def request():
        context.arrive(0.25)
        clock.return_value += 60.0
        context.start_clock(since_arrival=False)
        return context.seconds_left(default=30.0)

    assert request_context(request) == 0.25


def test_a_wait_for_something_else_does_not_count(request_context, clock):
    def request():
        context.arrive(2.0)
        clock.return_value += 60.0
        context.arrive_anew()
        context.start_clock(since_arrival=True)
        return context.seconds_left(default=30.0)

    assert request_context(request) == 2.0


def test_a_limit_without_an_arrival_counts_from_the_work(request_context, clock):
    def work():
        context.allow_seconds(1.0)
        clock.return_value += 60.0
        context.start_clock(since_arrival=True)
        return context.seconds_left(default=30.0)

    assert request_context(work) == 1.0


def test_each_request_has_its_own_id_and_limit(clock):
    def request(name, seconds):
        context.request_id.set(name)
        context.arrive(seconds)
        context.start_clock(since_arrival=False)

    def read():
        return context.request_id.get(), context.seconds_left(30.0)

    first, second = copy_context(), copy_context()
    first.run(request, "a", 1.0)
    second.run(request, "b", 2.0)

    assert first.run(read) == ("a", 1.0)
    assert second.run(read) == ("b", 2.0)


def test_background_work_in_a_thread_of_its_own_has_no_limit(request_context, clock):
    seen = []

    def work():
        context.start_clock(since_arrival=True)
        seen.append(context.seconds_left(default=30.0))

    def request():
        context.arrive(2.0)
        context.start_clock(since_arrival=False)
        thread = Thread(target=work)
        thread.start()
        thread.join()

    request_context(request)
    assert seen == [30.0]
