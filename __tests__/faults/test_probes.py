"""Whoever restarts or balances the servers is told the truth, and soon."""

import os
import signal
from time import monotonic

import httpx
import pytest
from live_server import NO_LIMITS
from load import Client
from shop import eventually

# The machine that runs the tests has other work too.
SLACK = 1.0


def test_postgres_frozen_for_a_minute(server, postgres, note):
    """Nobody restarts a server that only waits for its database, and nobody sends it requests."""
    balancer, supervisor = Client(server.url), Client(server.url)
    began = monotonic()
    postgres.freeze()
    while monotonic() < began + 60:
        supervisor.ask("livez", "GET", "/api/livez")
        balancer.ask("readyz", "GET", "/api/readyz")
    back = postgres.thaw()
    while not balancer.ask("readyz", "GET", "/api/readyz"):
        pass
    recovery = monotonic() - back

    assert {answer.status for answer in supervisor.answers} == {200}
    during = [answer for answer in balancer.answers if answer.ended < back]
    worst = max(answer.seconds for answer in balancer.answers)
    note("PostgreSQL frozen for 60 s", f"{len(during)} x not ready, always live", worst, recovery)
    assert {answer.status for answer in during} == {503}
    assert worst < 1.0 + SLACK
    assert recovery < 2.0 + SLACK


@pytest.fixture
def start(start_server, postgres, tmp_path):
    """Starts a server, each process of which blocks its event loop when it gets SIGUSR1."""
    (tmp_path / "sitecustomize.py").write_text(
        "import signal, time\nsignal.signal(signal.SIGUSR1, lambda *_: time.sleep(600))\n"
    )
    settings = {**postgres.new_database().settings(), **NO_LIMITS, "PYTHONPATH": str(tmp_path)}
    return lambda **more: start_server(**settings | more).wait_until_ready()


def test_a_blocked_event_loop_fails_livez(start):
    server = start()
    assert httpx.get(f"{server.url}/api/livez").status_code == 200
    server.process.send_signal(signal.SIGUSR1)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{server.url}/api/livez", timeout=3.0)
    server.stop(signal.SIGKILL)


def test_a_worker_with_a_blocked_event_loop_is_replaced(start, note):
    server = start(WORKERS="2", LOGLEVEL="INFO")
    assert eventually(lambda: server.log.read_text().count("Application startup complete") == 2)
    before = set(server.workers())
    blocked = min(before)
    began = monotonic()
    os.kill(blocked, signal.SIGUSR1)
    assert eventually(lambda: blocked not in server.workers(), 60)
    ended = monotonic() - began
    assert eventually(lambda: len(server.workers()) == 2)
    assert "this worker has finished no work for too long, and exits" in server.log.read_text()
    assert server.wait_until_ready().stop() == 0
    note("the event loop of one of two workers blocked", f"replaced after {ended:.0f} s")
