"""Work that need not be done before the answer, such as mail: done soon, in other threads."""

import logging
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import Full, Queue
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Any

from utils.errors import Unavailable
from utils.request_budget import start_request

THREADS = 2
MAX_WAITING = 1000
WORK_SECONDS = 30.0

log = logging.getLogger("gophertalk.later")

_Work = tuple[Context, Callable[..., None], tuple[Any, ...]]
_queue: Queue[_Work] = Queue(MAX_WAITING)
_threads: list[Thread] = []
_lock = Lock()


def run_later(function: Callable[..., None], *args: Any) -> None:
    """Returns at once. What the function raises is logged, under the id of this request.

    Raises Unavailable when too much is waiting already.
    """
    try:
        _queue.put_nowait((copy_context(), function, args))
    except Full as error:
        raise Unavailable("Too much is waiting to be done, please try again later") from error
    with _lock:
        if len(_threads) < THREADS:
            # As daemons they do not hold up the end of the program.
            _threads.append(Thread(target=_work, daemon=True, name="later"))
            _threads[-1].start()


def finish(seconds: float) -> None:
    """Wait so long at most for what was promised, before the program ends."""
    deadline = monotonic() + seconds
    while _queue.unfinished_tasks and monotonic() < deadline:
        sleep(0.02)


def _work() -> None:
    while True:
        request, function, args = _queue.get()
        try:
            request.run(_run, function, args)
        finally:
            _queue.task_done()


def _run(function: Callable[..., None], args: tuple[Any, ...]) -> None:
    start_request(WORK_SECONDS)
    try:
        function(*args)
    except Exception:
        log.exception("%s failed", function.__name__)
