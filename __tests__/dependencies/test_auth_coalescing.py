"""Concurrent loads of one session are coalesced into one query, until something is invalidated."""

import asyncio
import threading

import pytest

from dependencies import auth
from services import access_cache


class SlowQuery:
    """Stands for a query that takes as long as the test wants."""

    def __init__(self) -> None:
        self.gates = [threading.Event(), threading.Event()]
        self.asked: list[tuple[str, int]] = []
        self.error: Exception | None = None

    def load(self, session_id: str, user_id: int) -> str:
        number = len(self.asked)
        self.asked.append((session_id, user_id))
        assert self.gates[min(number, 1)].wait(30)
        if self.error:
            raise self.error
        return f"answer {number}"


@pytest.fixture
def query():
    query = SlowQuery()
    yield query
    for gate in query.gates:
        gate.set()


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def run(steps):
    return asyncio.run(asyncio.wait_for(steps(), 30))


def test_concurrent_requests_share_one_query(query):
    async def steps():
        tasks = [asyncio.ensure_future(auth._coalesce(query.load, "s", 1)) for _ in range(20)]
        await until(lambda: query.asked)
        query.gates[0].set()
        return await asyncio.gather(*tasks)

    assert run(steps) == ["answer 0"] * 20
    assert query.asked == [("s", 1)]
    assert not auth._running_loads


def test_each_session_has_a_query_of_its_own(query):
    async def steps():
        for gate in query.gates:
            gate.set()
        await asyncio.gather(*(auth._coalesce(query.load, "s", user) for user in (1, 2)))

    run(steps)

    assert sorted(query.asked) == [("s", 1), ("s", 2)]


def test_after_an_invalidation_a_request_does_not_share_an_earlier_query(query):
    async def steps():
        before = asyncio.ensure_future(auth._coalesce(query.load, "s", 1))
        await until(lambda: query.asked)
        access_cache.invalidate_user(1)
        after = asyncio.ensure_future(auth._coalesce(query.load, "s", 1))
        await until(lambda: len(query.asked) == 2)
        query.gates[1].set()
        newer = await after
        query.gates[0].set()
        return await before, newer

    assert run(steps) == ("answer 0", "answer 1")


def test_an_error_reaches_all_who_share_the_query_and_is_not_kept(query):
    async def steps():
        query.error = ConnectionError("away")
        query.gates[0].set()
        tasks = [auth._coalesce(query.load, "s", 1) for _ in range(3)]
        failures = await asyncio.gather(*tasks, return_exceptions=True)
        query.error = None
        query.gates[1].set()
        return [str(each) for each in failures], await auth._coalesce(query.load, "s", 1)

    assert run(steps) == (["away"] * 3, "answer 1")
