"""A session is looked up once for all requests that wait for it, and anew after a change."""

import asyncio
import threading

import pytest

from dependencies import auth
from services import session_service


class LookUp:
    """Stands for a query that takes as long as the test wants."""

    def __init__(self) -> None:
        self.gates = [threading.Event(), threading.Event()]
        self.asked: list[tuple[str, int]] = []
        self.error: Exception | None = None

    def find(self, session_id: str, user_id: int) -> str:
        number = len(self.asked)
        self.asked.append((session_id, user_id))
        assert self.gates[min(number, 1)].wait(30)
        if self.error:
            raise self.error
        return f"answer {number}"


@pytest.fixture
def look_up():
    look_up = LookUp()
    yield look_up
    for gate in look_up.gates:
        gate.set()


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def run(steps):
    return asyncio.run(asyncio.wait_for(steps(), 30))


def test_it_is_asked_once_for_all_who_wait(look_up):
    async def steps():
        tasks = [asyncio.ensure_future(auth._looked_up(look_up.find, "s", 1)) for _ in range(20)]
        await until(lambda: look_up.asked)
        look_up.gates[0].set()
        return await asyncio.gather(*tasks)

    assert run(steps) == ["answer 0"] * 20
    assert look_up.asked == [("s", 1)]
    assert not auth._looking_up


def test_each_session_is_asked_for_itself(look_up):
    async def steps():
        for gate in look_up.gates:
            gate.set()
        await asyncio.gather(*(auth._looked_up(look_up.find, "s", user) for user in (1, 2)))

    run(steps)

    assert sorted(look_up.asked) == [("s", 1), ("s", 2)]


def test_who_comes_after_a_change_is_not_told_what_was_before(look_up):
    async def steps():
        before = asyncio.ensure_future(auth._looked_up(look_up.find, "s", 1))
        await until(lambda: look_up.asked)
        session_service.forget_user(1)
        after = asyncio.ensure_future(auth._looked_up(look_up.find, "s", 1))
        await until(lambda: len(look_up.asked) == 2)
        look_up.gates[1].set()
        newer = await after
        look_up.gates[0].set()
        return await before, newer

    assert run(steps) == ("answer 0", "answer 1")


def test_an_error_is_told_to_all_and_kept_for_nobody(look_up):
    async def steps():
        look_up.error = ConnectionError("away")
        look_up.gates[0].set()
        tasks = [auth._looked_up(look_up.find, "s", 1) for _ in range(3)]
        failures = await asyncio.gather(*tasks, return_exceptions=True)
        look_up.error = None
        look_up.gates[1].set()
        return [str(each) for each in failures], await auth._looked_up(look_up.find, "s", 1)

    assert run(steps) == (["away"] * 3, "answer 1")
