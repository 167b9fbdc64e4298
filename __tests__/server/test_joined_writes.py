"""What is written in one turn of the event loop leaves in one piece."""

import asyncio

from server.joined_writes import JoinedWrites


class Recorder:
    """A transport that notes what is done with it."""

    def __init__(self):
        self.done = []

    def write(self, data):
        self.done.append(data)

    def close(self):
        self.done.append("closed")

    def get_extra_info(self, name):
        return f"the {name}"


def recorded(steps):
    recorder = Recorder()

    async def session():
        await steps(JoinedWrites(recorder, asyncio.get_running_loop()))
        await asyncio.sleep(0)

    asyncio.run(session())
    return recorder.done


def test_head_and_body_leave_together():
    async def steps(transport):
        transport.write(b"head, ")
        transport.write(b"body")

    assert recorded(steps) == [b"head, body"]


def test_nothing_waits_for_the_next_turn():
    async def steps(transport):
        transport.write(b"head")
        await asyncio.sleep(0)
        transport.write(b"body")

    assert recorded(steps) == [b"head", b"body"]


def test_what_was_written_leaves_before_the_end_and_once():
    async def steps(transport):
        transport.write(b"good-bye")
        transport.close()

    assert recorded(steps) == [b"good-bye", "closed"]


def test_an_end_without_a_word_sends_nothing():
    async def steps(transport):
        transport.close()

    assert recorded(steps) == ["closed"]


def test_in_all_else_it_is_the_transport():
    async def steps(transport):
        assert transport.get_extra_info("peername") == "the peername"

    assert recorded(steps) == []
