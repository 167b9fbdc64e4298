"""Work that need not be done before the answer."""

from contextvars import copy_context
from threading import Event

import pytest

from utils import context, later


def test_it_returns_at_once_and_the_work_is_done_by_the_end():
    go, done = Event(), Event()

    def work() -> None:
        go.wait(10)
        done.set()

    later.run_later(work)
    assert not done.is_set()
    go.set()
    later.finish(10)
    assert done.is_set()


def test_the_arguments_arrive():
    seen = []
    later.run_later(lambda *args: seen.append(args), 1, "two")
    later.finish(10)

    assert seen == [(1, "two")]


def test_it_runs_under_the_id_of_the_request_that_asked_for_it():
    seen = []
    token = context.request_id.set("request-7")
    later.run_later(lambda: seen.append(context.request_id.get()))
    context.request_id.reset(token)
    later.finish(10)

    assert seen == ["request-7"]


def test_it_has_time_of_its_own():
    """The request's may be over already."""
    seen = []

    def work() -> None:
        context.start_clock(since_arrival=True)
        seen.append(context.seconds_left(default=-1))

    def late_request() -> None:
        context.arrive(0.0)
        context.start_clock(since_arrival=True)
        later.run_later(work)

    copy_context().run(late_request)
    later.finish(10)

    assert 1 < seen[0] <= later.WORK_SECONDS


def test_what_it_raises_is_logged_and_the_next_work_is_done(caplog):
    def explode() -> None:
        raise RuntimeError("no paper")

    seen = []
    later.run_later(explode)
    later.run_later(seen.append, 1)
    later.finish(10)

    assert "explode failed" in caplog.text
    assert "no paper" in caplog.text
    assert seen == [1]


@pytest.mark.parametrize("pending", [0, 1])
def test_the_end_of_the_program_waits_no_longer_than_it_was_told(pending):
    go = Event()
    for _ in range(pending):
        later.run_later(go.wait)
    later.finish(0)
    assert len(later._pending) == pending
    go.set()
    later.finish(10)
    assert not later._pending
