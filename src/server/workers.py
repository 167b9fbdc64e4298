"""Several worker processes on one address: replaced when they die or hang, stopped together."""

import logging
import signal
from contextlib import suppress
from socket import socket
from time import monotonic, sleep

from uvicorn import Config

from server.uvicorn_internals import STARTUP_FAILURE, Process

ROUND_SECONDS = 0.5
# Half a minute. Rounds are counted instead of seconds: a supervisor that was itself suspended must
# not take its workers for hung.
MAX_SILENT_ROUNDS = 60
# What a worker may need, after its last request, to close what it has opened.
CLOSE_TIMEOUT_SECONDS = 20

log = logging.getLogger("gophertalk.serve")


class Worker(Process):
    """A worker process that is asked every round whether it lives.

    A worker that is stalled ends itself (`background/heartbeat.py`). This finds one that cannot:
    its process is suspended, or some code does not let go of the interpreter. uvicorn's own check
    waits for each answer, even for that of a dead worker.
    """

    _has_answered = False
    _silent_rounds = 0

    def is_hung(self) -> bool:
        """A worker that has not answered yet is starting, which may take long on a busy machine."""
        with suppress(OSError):
            if self.parent_conn.poll():
                self.parent_conn.recv()
                self._has_answered, self._silent_rounds = True, 0
            if self._silent_rounds == 0:
                self.parent_conn.send(b"ping")
        self._silent_rounds += 1
        return self._has_answered and self._silent_rounds > MAX_SILENT_ROUNDS


class Workers:
    """The supervisor. `failed` says, at the end, that a worker could not start."""

    def __init__(self, config: Config, listener: socket) -> None:
        self.failed = False
        self._config = config
        self._listener = listener
        self._workers: list[Worker] = []
        self._stopping = False

    def run(self) -> None:
        """Returns after SIGTERM or Ctrl-C, and when a worker could not start."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if number := getattr(signal, name, None):
                signal.signal(number, self._stop)
        self._workers = [self._start_worker() for _ in range(self._config.workers)]
        while not self._stopping:
            sleep(ROUND_SECONDS)
            self._replace_workers()
        self._listener.close()  # refuses new connections at once
        for worker in self._workers:
            worker.terminate()
        self._wait_for_workers()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _start_worker(self) -> Worker:
        worker = Worker(self._config, [self._listener])
        worker.start()
        return worker

    def _replace_workers(self) -> None:
        for index, worker in enumerate(self._workers):
            if worker.exitcode == STARTUP_FAILURE:  # the next one would fail the same way
                self.failed = self._stopping = True
            if self._stopping:
                return
            if worker.exitcode is not None:
                log.error("worker %s has died (%s), another starts", worker.pid, worker.exitcode)
            elif worker.is_hung():
                log.error("worker %s hangs and is killed, another starts", worker.pid)
                worker.kill()
                worker.join()
            else:
                continue
            self._workers[index] = self._start_worker()

    def _wait_for_workers(self) -> None:
        """A worker that hangs does not hear that it shall stop."""
        seconds = (self._config.timeout_graceful_shutdown or 0) + CLOSE_TIMEOUT_SECONDS
        deadline = monotonic() + seconds
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - monotonic()))
            if worker.exitcode is None:
                log.error("worker %s does not stop and is killed", worker.pid)
                worker.kill()
                worker.join()
