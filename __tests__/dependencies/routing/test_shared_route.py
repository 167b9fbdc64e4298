"""One run of a controller for all who ask at once, and never one that began before they asked."""

import asyncio
import threading

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from dependencies.errors import install_error_handlers
from dependencies.routing.json_route import SharedRoute
from utils.errors import Unavailable


class Probe:
    """A controller that counts its runs and waits at a gate in each of them."""

    def __init__(self) -> None:
        self.begun = 0
        self.gates = [threading.Event() for _ in range(3)]
        self.failing: set[int] = set()

    def run(self):
        number = self.begun
        self.begun += 1
        assert self.gates[number].wait(30)
        if number in self.failing:
            raise Unavailable("Not now")
        return {"run": number}


@pytest.fixture
def probe():
    probe = Probe()
    yield probe
    for gate in probe.gates:
        gate.set()


def drive(probe, steps):
    router = APIRouter(route_class=SharedRoute)
    router.get("/state")(probe.run)
    app = FastAPI()
    install_error_handlers(app, [router])
    app.include_router(router)

    async def session():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

            def ask():
                return asyncio.create_task(client.get("/state"))

            return await asyncio.wait_for(steps(ask), 30)

    return asyncio.run(session())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_who_comes_while_it_runs_gets_the_next_answer(probe):
    async def steps(ask):
        first = ask()
        await until(lambda: probe.begun == 1)
        others = [ask() for _ in range(20)]
        await asyncio.sleep(0.05)
        probe.gates[0].set()
        await until(lambda: probe.begun == 2)
        late = ask()
        await asyncio.sleep(0.05)
        probe.gates[1].set()
        probe.gates[2].set()
        return [answer.json()["run"] for answer in await asyncio.gather(first, *others, late)]

    assert drive(probe, steps) == [0, *[1] * 20, 2]
    assert probe.begun == 3


def test_one_after_the_other_each_has_a_run_of_its_own(probe):
    async def steps(ask):
        for gate in probe.gates:
            gate.set()
        return [(await ask()).json()["run"] for _ in range(3)]

    assert drive(probe, steps) == [0, 1, 2]


def test_a_failure_is_everybodys_and_the_next_run_is_fresh(probe):
    async def steps(ask):
        first = ask()
        await until(lambda: probe.begun == 1)
        others = [ask() for _ in range(3)]
        await asyncio.sleep(0.05)
        probe.failing = {1}
        for gate in probe.gates:
            gate.set()
        answers = await asyncio.gather(first, *others)
        return [answer.status_code for answer in [*answers, await ask()]]

    assert drive(probe, steps) == [200, 503, 503, 503, 200]


def test_who_goes_away_does_not_take_the_answer_from_the_others(probe):
    async def steps(ask):
        first = ask()
        await until(lambda: probe.begun == 1)
        leaving, staying = ask(), ask()
        await asyncio.sleep(0.05)
        leaving.cancel()
        for gate in probe.gates:
            gate.set()
        return [(await each).status_code for each in (first, staying)]

    assert drive(probe, steps) == [200, 200]
