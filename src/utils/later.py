"""Work that need not be done before the answer, such as mail: done soon, in another thread."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

from utils import context

WORK_SECONDS = 30.0

log = logging.getLogger("gophertalk.later")

_threads = ThreadPoolExecutor(2, thread_name_prefix="later")
_pending: set[Future[None]] = set()


def run_later(function: Callable[..., None], *args: Any) -> None:
    """Returns at once. What the function raises is logged, under the id of this request."""
    future = _threads.submit(copy_context().run, _run, function, args)
    _pending.add(future)
    future.add_done_callback(_pending.discard)


def finish(seconds: float) -> None:
    """Wait for what was promised, before the program ends."""
    wait(set(_pending), timeout=seconds)


def _run(function: Callable[..., None], args: tuple[Any, ...]) -> None:
    context.arrive(WORK_SECONDS)
    try:
        function(*args)
    except Exception:
        log.exception("%s failed", function.__name__)
