"""A TCP proxy that can refuse, delay, hang and cut: what networks and servers do to us."""

import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import sleep

# From 32768 on a port may be taken as the near end of somebody's outgoing connection. Of two
# processes that run tests (pytest -n 2), each has every other port.
PORTS = range(20000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 2, 32768, 2)
# What a trap remembers of a connection.
MEMORY_BYTES = 65536
# How long the far side has for what was delivered, before it is cut off.
DELIVERY_SECONDS = 0.3


def free_port() -> int:
    for port in random.sample(PORTS, 1000):
        with socket.socket() as candidate, suppress(OSError):
            candidate.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


@dataclass
class Trap:
    """Cuts the first connection on which `mark` has passed and then `at` passes, in one direction.

    With `deliver` the other side still gets it, and the cut comes in place of its answer; else it
    gets only the half of those bytes, or nothing of them when they open a message.
    """

    mark: bytes
    at: bytes
    deliver: bool = False
    in_answers: bool = False
    sprung: Event = field(default_factory=Event)

    def fits(self, passed: bytes) -> bool:
        marked = passed.find(self.mark)
        return marked >= 0 and self.at in passed[marked:]


@dataclass
class Link:
    """A connection through the proxy: the client's end, the server's, and whether they hear."""

    near: socket.socket
    far: socket.socket
    deaf: bool = False

    def cut(self) -> None:
        for end in (self.near, self.far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class TcpProxy:
    """Listens on `port` of 127.0.0.1 and passes on, both ways, until told otherwise."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = free_port()
        self.delay = 0.0
        self.trap: Trap | None = None
        self._flows = Event()
        self._flows.set()
        self._answers_flow = Event()
        self._answers_flow.set()
        self._lock = Lock()
        self._links: list[Link] = []
        self._listener: socket.socket | None = None
        self.accept()

    def accept(self) -> None:
        """Take connections (again)."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Nobody listens any more, and everybody is cut off."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # A plain close would leave the thread in accept() with the port.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def cut(self) -> None:
        """End all connections."""
        for link in self._forget_links():
            link.cut()

    def lose(self) -> None:
        """The connections that live now pass nothing on any more, and nobody is told; new ones are
        well: as when a router or a firewall has forgotten them."""
        for link in self._forget_links():
            link.deaf = True

    def hang(self, only_answers: bool = False) -> None:
        """Take connections and bytes, and pass nothing on; or nothing of what the server says."""
        (self._answers_flow if only_answers else self._flows).clear()

    def flow(self) -> None:
        """Pass on what has been held back, and everything from now on."""
        self._flows.set()
        self._answers_flow.set()

    def heal(self) -> None:
        """Do no more harm; connections that live go on."""
        self.delay = 0.0
        self.trap = None
        self.flow()
        if self._listener is None:
            self.accept()

    def close(self) -> None:
        self.flow()
        self.refuse()

    def _forget_links(self) -> list[Link]:
        with self._lock:
            links, self._links = self._links, []
        return links

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.target, timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            link = Link(near, far)
            with self._lock:
                self._links.append(link)
            for answers in (False, True):
                Thread(target=self._pump, args=(link, answers), daemon=True).start()

    def _pump(self, link: Link, answers: bool) -> None:
        source, sink = (link.far, link.near) if answers else (link.near, link.far)
        passed = b""
        with suppress(OSError):
            while data := source.recv(65536):
                sleep(self.delay)
                self._flows.wait()
                if answers:
                    self._answers_flow.wait()
                if link.deaf:
                    continue
                passed = (passed + data)[-MEMORY_BYTES:]
                trap = self.trap
                if trap and trap.in_answers is answers and trap.fits(passed):
                    self._spring(trap, link, sink, data)
                    return
                sink.sendall(data)
        if not link.deaf:
            link.cut()

    def _spring(self, trap: Trap, link: Link, sink: socket.socket, data: bytes) -> None:
        self.trap = None
        if trap.deliver:
            link.deaf = True
            sink.sendall(data)
            sleep(DELIVERY_SECONDS)
        elif trap.in_answers:
            sink.sendall(data[: len(data) // 2])
        link.cut()
        trap.sprung.set()


@contextmanager
def proxy_to(host: str, port: int) -> Iterator[TcpProxy]:
    proxy = TcpProxy((host, port))
    try:
        yield proxy
    finally:
        proxy.close()
