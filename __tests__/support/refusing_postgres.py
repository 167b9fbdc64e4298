"""A PostgreSQL that lets nobody in, and says why: wrong passwords, missing roles and databases."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from tcp_proxy import free_port

PROTOCOL_3 = 196608
CLEARTEXT_PASSWORD = b"R" + struct.pack("!ii", 8, 3)


def fatal(code: str, message: str) -> bytes:
    """The answer `FATAL: message`, as the protocol has it."""
    fields = {"S": "FATAL", "V": "FATAL", "C": code, "M": message}
    body = b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body


@contextmanager
def refusing(answer: bytes) -> Iterator[int]:
    """Listens on the port that it yields, and gives everybody this answer."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as listener:
        Thread(target=_serve, args=(listener, answer), daemon=True).start()
        yield port


def _serve(listener: socket.socket, answer: bytes) -> None:
    with suppress(OSError):  # the listener is closed
        while True:
            client, _ = listener.accept()
            with client, suppress(OSError):
                while struct.unpack("!ii", client.recv(8))[1] != PROTOCOL_3:
                    client.sendall(b"N")  # no encryption here
                client.recv(65536)
                client.sendall(answer)
