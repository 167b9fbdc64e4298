"""The bounds of a connection, on a small app of its own.

Before, a header of ten megabytes was read to its end, and half a request was waited for without
end: a thousand of them, and nobody else could connect.
"""

import socket
from select import select
from threading import Thread
from time import sleep

import pytest
import uvicorn
from tcp_proxy import free_port

from server import http_protocol as bounded_http

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def app(scope, receive, send):
    """Answers /early at once, and anything else when it has been read."""
    more = scope["path"] != "/early"
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"OK"})


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(bounded_http, "ARRIVAL_SECONDS", 0.5)
    config = uvicorn.Config(
        app, port=free_port(), http=bounded_http.BoundedHttp, log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        sleep(0.01)
    yield ("127.0.0.1", config.port)
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def connect(server):
    opened = []

    def connect():
        opened.append(socket.create_connection(server, timeout=20))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def all_of(connection):
    """What comes until the server closes the connection."""
    answer = b""
    try:
        while data := connection.recv(65536):
            answer += data
    except ConnectionResetError:  # closed while we were still sending
        pass
    return answer


def statuses(answer):
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def readable(connection):
    return bool(select([connection], [], [], 0)[0])


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET",
        HEAD + b"X-A: a",
        POST + b"Content-Length: 20\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
)
def test_half_a_request_is_408(connect, half):
    connection = connect()
    connection.sendall(half)

    assert statuses(all_of(connection)) == [408]


def test_so_is_one_that_comes_a_byte_at_a_time(connect):
    connection = connect()
    connection.sendall(HEAD)
    seconds = 0.0
    while not readable(connection) and seconds < 20:
        connection.sendall(b"X")
        sleep(0.05)
        seconds += 0.05

    assert statuses(connection.recv(1000)) == [408]


def test_what_was_answered_already_is_closed_without_a_word(connect):
    connection = connect()
    connection.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{")

    assert statuses(all_of(connection)) == [200]


def test_who_keeps_asking_is_kept(connect):
    connection = connect()
    for _ in range(8):
        connection.sendall(POST + b"Content-Length: 2\r\n\r\n{}")
        assert statuses(connection.recv(1000)) == [200]
        sleep(0.2)


@pytest.mark.parametrize("size", [80_000, 1_000_000])
@pytest.mark.parametrize("header", [b"X-A: %s\r\n", b"%s: a\r\n", b"X: a\r\nY: %s\r\n"])
def test_large_headers_are_431(connect, header, size):
    request = HEAD + header % (b"a" * size) + b"\r\n"
    connection = connect()
    try:
        for start in range(0, len(request), 10_000):
            connection.sendall(request[start : start + 10_000])
    except OSError:  # it has heard enough
        pass
    assert statuses(all_of(connection)) in ([431], [])


def test_many_headers_are_431(connect):
    connection = connect()
    connection.sendall(HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(10_000)))
    answer = all_of(connection)

    assert statuses(answer) == [431]
    sentence = b'{"detail": "The headers are too large", "error": "The headers are too large"}'
    assert answer.endswith(sentence)


def test_headers_below_the_limit_and_a_body_of_any_size_are_read(connect):
    connection = connect()
    body = b"a" * 1_000_000
    head = b"X-A: " + b"a" * 60_000 + b"\r\nContent-Length: 1000000\r\n\r\n"
    connection.sendall(POST + head + body)
    assert statuses(connection.recv(1000)) == [200]
    connection.sendall(POST + head + body)
    assert statuses(connection.recv(1000)) == [200]


def test_a_body_is_not_taken_for_the_headers_after_it(connect):
    connection = connect()
    body = b"a" * 70_000
    connection.sendall(POST + b"Content-Length: 70000\r\n\r\n" + body + HEAD + b"X-A: a\r\n")
    assert statuses(connection.recv(1000)) == [200]
    connection.sendall(b"\r\n")
    assert statuses(connection.recv(1000)) == [200]


def test_what_is_no_http_is_400(connect):
    connection = connect()
    connection.sendall(b"\x16\x03\x01\r\n\r\n")
    answer = all_of(connection)

    assert statuses(answer) == [400]
    assert b'"error": "Invalid HTTP request received."' in answer
