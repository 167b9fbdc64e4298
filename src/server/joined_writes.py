"""A connection's transport that sends together what was written in one turn of the event loop.

uvicorn writes the head of an answer and its body one after the other, and uvloop makes a system
call and a packet of each, for which the client wakes up twice, in the middle of the turn. Here all
answers of a turn go out at its end, each in one piece: a third of all work for the health-check.
"""

from asyncio import AbstractEventLoop, Transport
from typing import Any


class JoinedWrites:
    """Stands in for a transport, and is one in all that it does not say otherwise."""

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """What was written before goes out first."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, []
            self._transport.write(b"".join(held))
