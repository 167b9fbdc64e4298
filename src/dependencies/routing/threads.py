"""The threads in which synchronous code runs, beside the event loop that must not wait.

Only one thread at a time may use the interpreter, and to hand it on costs more than most of what is
done here. So a few primary threads do the work, one job after the other. When none of them has
finished a job for a while, most likely because of slow statements, the jobs that wait go to the
overflow threads. With FastAPI's own forty threads each request cost twice as much.
"""

from asyncio import CancelledError, get_running_loop, wait, wrap_future
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import lru_cache, partial
from time import monotonic
from typing import ParamSpec, TypeVar, cast

from config.settings import get_settings
from utils.errors import Unavailable
from utils.request_budget import current_budget

Params = ParamSpec("Params")
Result = TypeVar("Result")

PRIMARY_THREADS = 3
# A job leaves the queue of the primary threads when none of them has finished one for so long.
OVERFLOW_AFTER_SECONDS = 0.05
# Connections to PostgreSQL that are left to hashing and background work.
SPARE_CONNECTIONS = 2

# Hashing a password takes a core for a quarter of a second and more. Two threads of its own keep
# a flood of logins from taking the worker threads, and the processors, from everybody else.
HASHING_THREADS = ThreadPoolExecutor(2, thread_name_prefix="hashing")
HASHING_QUEUE_TIMEOUT_SECONDS = 10.0

_last_finished_at = 0.0


@lru_cache
def primary_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PRIMARY_THREADS, thread_name_prefix="worker-primary")


@lru_cache
def overflow_threads() -> ThreadPoolExecutor:
    """With the primary threads, nearly one for each connection: more would only wait for one."""
    threads = max(1, get_settings().db_pool_max - PRIMARY_THREADS - SPARE_CONNECTIONS)
    return ThreadPoolExecutor(threads, thread_name_prefix="worker-overflow")


async def in_worker_thread(
    function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs
) -> Result:
    """What the function returns or raises. It sees the context variables of the caller."""
    global _last_finished_at
    loop = get_running_loop()
    request = copy_context()
    work = cast(Callable[[], Result], partial(request.run, function, *args, **kwargs))
    job = primary_threads().submit(work)
    overflows = False

    def overflow() -> None:
        nonlocal overflows, timer
        if monotonic() - _last_finished_at < OVERFLOW_AFTER_SECONDS:
            timer = loop.call_later(OVERFLOW_AFTER_SECONDS, overflow)
        else:
            overflows = job.cancel()  # not when it has begun

    timer = loop.call_later(OVERFLOW_AFTER_SECONDS, overflow)
    try:
        result = await wrap_future(job)
        _last_finished_at = monotonic()
        return result
    except CancelledError:
        if not overflows:
            raise
    finally:
        timer.cancel()
    current_budget().drop_minimum()
    return await loop.run_in_executor(overflow_threads(), work)


async def in_hashing_thread(
    function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs
) -> Result:
    """The same for a function that hashes a password. Raises Unavailable when too many wait."""

    def work() -> Result:
        current_budget().restart()  # the queue before these threads may be long
        return function(*args, **kwargs)

    job = HASHING_THREADS.submit(copy_context().run, work)
    running = wrap_future(job)
    await wait([running], timeout=HASHING_QUEUE_TIMEOUT_SECONDS)
    if job.cancel():  # it has not begun; what has begun is waited for
        raise Unavailable("Too many logins at once, please try again shortly")
    return await running
