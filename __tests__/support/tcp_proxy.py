"""A TCP proxy that can refuse, delay, hang and cut: what networks and servers do to us."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from time import sleep

# From 32768 on a port may be taken as the near end of somebody's outgoing connection.
PORTS = range(20000, 32768)


def free_port() -> int:
    for port in random.sample(PORTS, 1000):
        with socket.socket() as candidate, suppress(OSError):
            candidate.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


class TcpProxy:
    """Listens on `port` of 127.0.0.1 and passes on, both ways, until told otherwise."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = free_port()
        self.delay = 0.0
        self._flows = Event()
        self._flows.set()
        self._lock = Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
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
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def hang(self) -> None:
        """Take connections and bytes, and pass nothing on."""
        self._flows.clear()

    def flow(self) -> None:
        """Pass on what has been held back, and everything from now on."""
        self._flows.set()

    def close(self) -> None:
        self.flow()
        self.refuse()

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
            with self._lock:
                self._pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sleep(self.delay)
                self._flows.wait()
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(host: str, port: int) -> Iterator[TcpProxy]:
    proxy = TcpProxy((host, port))
    try:
        yield proxy
    finally:
        proxy.close()
