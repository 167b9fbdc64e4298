"""The threads in which synchronous code runs, beside the event loop that must not wait.

Only one thread at a time may use the interpreter, and to hand it on costs more than most of what is
done here. So a few threads that never rest do the work, one job after the other; when none of them
gets on, with slow statements most likely, the jobs go to the others. FastAPI's own forty threads
made each request cost twice as much.
"""

from asyncio import CancelledError, get_running_loop, wrap_future
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import lru_cache, partial
from time import monotonic
from typing import ParamSpec, TypeVar, cast

from config.settings import get_settings
from utils.request_budget import current_budget

Params = ParamSpec("Params")
Result = TypeVar("Result")

# Hashing a password takes a core for a quarter of a second and more. Two threads of its own keep
# a flood of logins from taking the worker threads, and the processors, from everybody else.
HASHING_THREADS = ThreadPoolExecutor(2, thread_name_prefix="hashing")
BUSY_THREADS = 3
# How long a job waits for the busy threads while these finish nothing.
PATIENCE_SECONDS = 0.05
# Connections to PostgreSQL that hashing and background work find free.
SPARE_CONNECTIONS = 2

_finished_at = 0.0


@lru_cache
def busy_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(BUSY_THREADS, thread_name_prefix="worker-busy")


@lru_cache
def other_threads() -> ThreadPoolExecutor:
    """All in all nearly one thread for each connection: more would only wait for one."""
    threads = max(1, get_settings().db_pool_max - BUSY_THREADS - SPARE_CONNECTIONS)
    return ThreadPoolExecutor(threads, thread_name_prefix="worker")


async def in_worker_thread(
    function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs
) -> Result:
    """What the function returns or raises. It sees the context variables of the caller."""
    global _finished_at
    loop = get_running_loop()
    seen = copy_context()
    work = cast(Callable[[], Result], partial(seen.run, function, *args, **kwargs))
    job = busy_threads().submit(work)
    gives_up = False

    def give_up() -> None:
        nonlocal gives_up, patience
        if monotonic() - _finished_at < PATIENCE_SECONDS:
            patience = loop.call_later(PATIENCE_SECONDS, give_up)
        else:
            gives_up = job.cancel()  # not when it has begun

    patience = loop.call_later(PATIENCE_SECONDS, give_up)
    try:
        result = await wrap_future(job)
        _finished_at = monotonic()
        return result
    except CancelledError:
        if not gives_up:
            raise
    finally:
        patience.cancel()
    current_budget().drop_minimum()
    return await loop.run_in_executor(other_threads(), work)
