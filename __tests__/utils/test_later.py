"""Work that need not be done before the answer."""

import os
import subprocess
import sys
from contextvars import copy_context
from threading import Barrier, Event, current_thread
from threading import enumerate as enumerate_threads
from time import monotonic

import pytest

from utils import context, later
from utils.errors import Unavailable
from utils.request_budget import current_budget, start_request


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
        current_budget().start_work(degraded=True)
        seen.append(current_budget().seconds_left())

    def late_request() -> None:
        start_request(0.0)
        current_budget().start_work(degraded=True)
        later.run_later(work)

    copy_context().run(late_request)
    later.finish(10)

    assert 1 < seen[0] <= later.DATABASE_SECONDS


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
    done = []

    def work() -> None:
        go.wait(10)
        done.append(1)

    for _ in range(pending):
        later.run_later(work)
    began = monotonic()
    later.finish(0.1)
    waited = monotonic() - began
    assert (waited >= 0.1) == bool(pending)
    assert waited < 5
    assert done == []
    go.set()
    later.finish(10)
    assert done == [1] * pending


def test_its_threads_do_not_hold_up_the_end_of_the_program():
    program = """
from threading import Event
from utils import later
for _ in range(5):
    later.run_later(Event().wait)
later.finish(0.1)
print("the end")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "the end\n", "")


def test_two_works_at_a_time_and_no_thread_for_each():
    go, both = Event(), Barrier(later.THREAD_COUNT + 1)
    names = []

    def work() -> None:
        both.wait(10)
        go.wait(10)

    for _ in range(later.THREAD_COUNT):
        later.run_later(work)
    both.wait(10)
    for _ in range(20):
        later.run_later(lambda: names.append(current_thread().name))
    assert names == []
    go.set()
    later.finish(10)

    assert names == ["later"] * 20
    assert len([each for each in enumerate_threads() if each.name == "later"]) == later.THREAD_COUNT


def test_when_too_much_waits_no_more_is_promised_and_what_was_is_kept(monkeypatch):
    go, started = Event(), Barrier(later.THREAD_COUNT + 1)
    done = []

    def hold() -> None:
        started.wait(10)
        go.wait(10)

    monkeypatch.setattr(later._queue, "maxsize", 3)
    for _ in range(later.THREAD_COUNT):
        later.run_later(hold)
    started.wait(10)
    for number in range(3):
        later.run_later(done.append, number)
    with pytest.raises(Unavailable, match=r"^Too much is waiting to be done, please try again"):
        later.run_later(done.append, 3)
    go.set()
    later.finish(10)
    assert sorted(done) == [0, 1, 2]

    later.run_later(done.append, 4)
    later.finish(10)
    assert 4 in done


def test_so_much_may_wait():
    assert later._queue.maxsize == later.MAX_QUEUED == 1000
