"""A stop is told to load balancers first, and to nobody else it makes a difference."""

import signal

import httpx
import pytest
from live_server import NO_LIMITS

from server import drain
from utils import process_state


class Loop:
    """An event loop that runs at once what it is asked to run later, and notes how much later."""

    def __init__(self):
        self.delays = []

    def call_soon_threadsafe(self, call, *args):
        call(*args)

    def call_later(self, seconds, call, *args):
        self.delays.append(seconds)
        call(*args)


@pytest.fixture
def stop(monkeypatch):
    """Sends SIGTERM to this process, and gives the delay with which uvicorn would get it."""
    monkeypatch.setattr(process_state, "stop_has_begun", False)
    monkeypatch.setattr(process_state, "_readiness_asked_at", float("-inf"))
    got = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))

    def stop():
        loop = Loop()
        drain.install(loop)
        signal.raise_signal(signal.SIGTERM)
        assert got == [signal.SIGTERM]
        return loop.delays

    yield stop
    signal.signal(signal.SIGTERM, before)


def test_who_is_watched_by_a_load_balancer_waits_for_it(stop):
    process_state.note_readiness_asked()
    assert stop() == [drain.DRAIN_SECONDS]
    assert process_state.stop_has_begun


def test_who_is_not_stops_at_once(stop):
    assert stop() == [0]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_says_no_before_it_takes_no_more_connections(start_server, workers):
    server = start_server(**NO_LIMITS, WORKERS=workers).wait_until_ready()

    def status():
        try:
            return httpx.get(f"{server.url}/api/readyz").status_code
        except httpx.TransportError:
            return None

    seen = [status() for _ in range(10)]
    server.process.send_signal(signal.SIGTERM)
    while seen[-1] is not None:
        seen.append(status())
    assert list(dict.fromkeys(seen)) == [200, 503, None], "in this order"
    assert server.process.wait(30) == 0
