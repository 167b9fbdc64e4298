"""A worker that hangs is replaced while the other serves; one that merely starts slowly is not."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from time import monotonic, sleep

import httpx
import pytest
from tcp_proxy import free_port

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.slow

# It answers with the number of its process.
APP = """
import os

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""
# Five seconds of silence are enough here.
PROGRAM = """
import socket, sys
from uvicorn import Config
from server import workers
from utils.stop_signals import interrupt_on_signals

if __name__ == "__main__":
    interrupt_on_signals()
    workers.ROUND_SECONDS, workers.MAX_SILENT_ROUNDS, workers.CLOSE_TIMEOUT_SECONDS = 0.1, 50, 1
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    listener.set_inheritable(True)
    config = Config("the_app:app", workers=2, lifespan="off", timeout_graceful_shutdown=1)
    workers.Workers(config, listener).run()
"""
SLOW_START = """
import sys, time
if "--multiprocessing-fork" in sys.orig_argv:
    time.sleep(8)
"""
DEADLINE_SECONDS = 60


class Supervisor:
    """The program above as a process."""

    def __init__(self, folder):
        (folder / "the_app.py").write_text(APP)
        (folder / "program.py").write_text(PROGRAM)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(folder / "program.py"), str(port)],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}:{PROJECT_ROOT / 'src'}"},
                stderr=log,
                start_new_session=True,
            )

    def ask(self):
        """The number of the worker that answers; None while none does."""
        with suppress(httpx.TransportError):
            return int(httpx.get(self.url, timeout=5).text)
        return None

    def two_workers(self):
        seen = set()
        self.wait_until(lambda: seen.add(self.ask()) or len(seen - {None}) == 2)
        return seen - {None}

    def wait_until(self, condition):
        deadline = monotonic() + DEADLINE_SECONDS
        while not condition():
            assert monotonic() < deadline, self.log.read_text()
            sleep(0.01)

    def kill(self):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def is_alive(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path)
    yield supervisor
    supervisor.kill()


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_worker_that_does_nothing_is_replaced_while_the_other_serves(supervisor, how):
    silent, other = supervisor.two_workers()
    os.kill(silent, how)
    assert supervisor.ask() is not None

    supervisor.wait_until(lambda: not is_alive(silent))

    after = supervisor.two_workers()
    assert silent not in after
    assert other in after


def test_a_worker_that_starts_slowly_is_waited_for(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SLOW_START)
    supervisor = Supervisor(tmp_path)
    try:
        supervisor.two_workers()
        assert "killed" not in supervisor.log.read_text()
    finally:
        supervisor.kill()


def test_the_end_does_not_wait_for_a_worker_that_hangs(supervisor):
    hung = min(supervisor.two_workers())
    os.kill(hung, signal.SIGSTOP)
    supervisor.process.send_signal(signal.SIGTERM)

    assert supervisor.process.wait(DEADLINE_SECONDS) == 0
    assert not is_alive(hung)


def test_a_closed_terminal_ends_all(supervisor):
    workers = supervisor.two_workers()
    supervisor.process.send_signal(signal.SIGHUP)

    assert supervisor.process.wait(DEADLINE_SECONDS) == 0
    assert not any(map(is_alive, workers))
