"""Work that is done after the answer, such as sending mail, in threads of its own."""

import logging
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import Full, Queue
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Any

from utils.errors import Unavailable
from utils.request_budget import start_request

THREAD_COUNT = 2
MAX_QUEUED = 1000
# For its use of the database; the budget of the request may be used up.
DATABASE_SECONDS = 30.0
POLL_SECONDS = 0.02

log = logging.getLogger("gophertalk.later")

_Work = tuple[Context, Callable[..., None], tuple[Any, ...]]
_queue: Queue[_Work] = Queue(MAX_QUEUED)
_threads: list[Thread] = []
_lock = Lock()


def run_later(function: Callable[..., None], *args: Any) -> None:
    """Returns at once. What the function raises is logged, with the id of this request.

    Raises Unavailable when the queue is full.
    """
    try:
        _queue.put_nowait((copy_context(), function, args))
    except Full as error:
        raise Unavailable("Too much is waiting to be done, please try again later") from error
    with _lock:
        if len(_threads) < THREAD_COUNT:
            # The program does not wait for daemons when it ends.
            _threads.append(Thread(target=_work, daemon=True, name="later"))
            _threads[-1].start()


def finish(timeout_seconds: float) -> None:
    """Wait, before the program ends, until all of it is done, or for `timeout_seconds`."""
    deadline = monotonic() + timeout_seconds
    while _queue.unfinished_tasks and monotonic() < deadline:
        sleep(POLL_SECONDS)


def _work() -> None:
    while True:
        request, function, args = _queue.get()
        try:
            request.run(_run, function, args)
        finally:
            _queue.task_done()


def _run(function: Callable[..., None], args: tuple[Any, ...]) -> None:
    start_request(DATABASE_SECONDS)
    try:
        function(*args)
    except Exception:
        log.exception("%s failed", function.__name__)
