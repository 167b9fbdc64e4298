"""Where synchronous code runs."""

import asyncio
import threading

import pytest

from config.settings import get_settings
from dependencies.routing import threads
from dependencies.routing.threads import in_worker_thread
from utils import context
from utils.errors import Conflict
from utils.request_budget import current_budget, start_request


def test_it_runs_in_a_worker_thread_and_knows_the_request():
    def work(*args, **kwargs):
        return threading.current_thread().name, context.request_id.get(), args, kwargs

    async def request():
        context.request_id.set("request-7")
        return await in_worker_thread(work, 1, two=2)

    thread, request_id, args, kwargs = asyncio.run(request())

    assert thread.startswith("worker")
    assert (request_id, args, kwargs) == ("request-7", (1,), {"two": 2})


def test_what_it_raises_reaches_the_caller():
    def work():
        raise Conflict("Already there")

    with pytest.raises(Conflict, match="Already there"):
        asyncio.run(in_worker_thread(work))


def test_some_connections_are_left_to_hashing_and_background_work():
    most = get_settings().db_pool_max - 2
    inside, together, lock = 0, 0, threading.Lock()
    all_inside = threading.Event()

    def work():
        nonlocal inside, together
        with lock:
            inside += 1
            together = max(together, inside)
        if together == most:
            all_inside.set()
        assert all_inside.wait(30)
        with lock:
            inside -= 1

    async def requests():
        await asyncio.gather(*(in_worker_thread(work) for _ in range(3 * most)))

    asyncio.run(requests())

    assert together == most


def test_the_primary_threads_do_all_that_does_not_take_long(monkeypatch):
    monkeypatch.setattr(threads, "OVERFLOW_AFTER_SECONDS", 60.0)

    def work():
        return threading.current_thread().name

    async def requests():
        return await asyncio.gather(*(in_worker_thread(work) for _ in range(200)))

    names = asyncio.run(requests())

    assert len(set(names)) <= threads.PRIMARY_THREADS
    assert all(name.startswith("worker-primary") for name in names)


def test_a_job_that_overflows_has_only_the_time_that_its_request_has_left(monkeypatch):
    monkeypatch.setattr(threads, "OVERFLOW_AFTER_SECONDS", 0.3)
    gate = threading.Event()

    def work():
        current_budget().start_work(degraded=False)
        return current_budget().seconds_left()

    async def requests():
        slow = [asyncio.ensure_future(in_worker_thread(gate.wait, 30)) for _ in range(3)]
        await asyncio.sleep(0.01)
        start_request(0.2)
        left = await in_worker_thread(work)
        gate.set()
        await asyncio.gather(*slow)
        start_request(0.2)
        return left, await in_worker_thread(work)

    held_up, others = asyncio.run(requests())

    assert held_up == 0.0
    assert others > 0.0


def test_a_job_of_a_cancelled_request_is_not_done(monkeypatch):
    monkeypatch.setattr(threads, "OVERFLOW_AFTER_SECONDS", 60.0)
    gate, done = threading.Event(), []

    async def requests():
        slow = [asyncio.ensure_future(in_worker_thread(gate.wait, 30)) for _ in range(3)]
        await asyncio.sleep(0.01)
        leaving = asyncio.ensure_future(in_worker_thread(done.append, "served"))
        await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        gate.set()
        await asyncio.gather(*slow)

    asyncio.run(requests())

    assert done == []
