"""How long a request may still take. The clock stands still here."""

from contextvars import copy_context
from threading import Thread
from unittest.mock import patch

import pytest

from utils import context


@pytest.fixture
def clock():
    with patch("utils.context.monotonic", return_value=1000.0) as clock:
        yield clock


def test_without_a_limit_the_default_counts():
    assert copy_context().run(context.seconds_left, 30.0) == 30.0


@pytest.mark.parametrize(("passed", "left"), [(0.0, 2.0), (0.5, 1.5), (2.0, 0.0), (60.0, 0.0)])
def test_a_limit_runs_down_to_nothing(clock, passed, left):
    def request():
        context.allow_seconds(2.0)
        clock.return_value += passed
        return context.seconds_left(default=30.0)

    assert copy_context().run(request) == left


def test_the_last_limit_counts(clock):
    def request():
        context.allow_seconds(2.0)
        context.allow_seconds(1.0)
        return context.seconds_left(default=30.0)

    assert copy_context().run(request) == 1.0


def test_each_request_has_its_own_id_and_limit(clock):
    def request(name, seconds):
        context.request_id.set(name)
        context.allow_seconds(seconds)
        return lambda: (context.request_id.get(), context.seconds_left(30.0))

    first, second = copy_context(), copy_context()
    read_first, read_second = first.run(request, "a", 1.0), second.run(request, "b", 2.0)

    assert first.run(read_first) == ("a", 1.0)
    assert second.run(read_second) == ("b", 2.0)


def test_background_work_in_a_thread_of_its_own_has_no_limit(clock):
    seen = []

    def request():
        context.allow_seconds(2.0)
        thread = Thread(target=lambda: seen.append(context.seconds_left(default=30.0)))
        thread.start()
        thread.join()

    copy_context().run(request)
    assert seen == [30.0]
