"""The bounds of a connection, on a small app of its own.

Before, a header of ten megabytes was read to its end, and half a request was waited for without
end: a thousand of them, and nobody else could connect.
"""

import asyncio
import logging
import socket
from select import select
from threading import Thread
from time import sleep

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.middleware import Middleware
from tcp_proxy import free_port

from dependencies.errors import install_error_handlers
from dependencies.middleware.body_limit import BodyLimit
from dependencies.middleware.cors import Cors, cors_options
from dependencies.middleware.request_context import RequestContext
from dependencies.middleware.unforeseen_errors import UnforeseenErrors
from server import http_protocol as bounded_http

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


app = FastAPI(
    middleware=[
        Middleware(RequestContext, database_seconds=1),
        Middleware(Cors, **cors_options(())),
        Middleware(BodyLimit),
        Middleware(UnforeseenErrors),
    ]
)
install_error_handlers(app)


@app.api_route("/", methods=["GET", "POST"])
async def read(request: Request) -> int:
    return len(await request.body())


@app.get("/slow")
async def take_time() -> None:
    await asyncio.sleep(0.5)


@app.get("/endless")
async def wait_forever() -> None:
    await asyncio.Event().wait()


@app.get("/large")
async def answer_at_length() -> Response:
    """More than the buffers of two sockets hold."""
    return StreamingResponse(b"a" * 1_000_000 for _ in range(50))


@app.post("/early")
async def answer_without_reading() -> None:
    pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(bounded_http, "ARRIVAL_SECONDS", 0.5)
    config = uvicorn.Config(
        app,
        port=free_port(),
        http=bounded_http.BoundedHttp,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        sleep(0.01)
    yield server
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def connect(server):
    opened = []

    def connect():
        opened.append(socket.create_connection(("127.0.0.1", server.config.port), timeout=20))
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


def test_a_connection_on_which_nothing_comes_is_closed(connect):
    assert all_of(connect()) == b""


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
    assert answer.endswith(b'"error":"The headers are too large"}')


def test_headers_below_the_limit_and_a_large_body_are_read(connect):
    connection = connect()
    body = b"a" * 65_536
    head = b"X-A: " + b"a" * 60_000 + b"\r\nContent-Length: 65536\r\n\r\n"
    connection.sendall(POST + head + body)
    assert statuses(connection.recv(1000)) == [200]
    connection.sendall(POST + head + body)
    assert statuses(connection.recv(1000)) == [200]


def test_a_body_is_not_taken_for_the_headers_after_it(connect):
    connection = connect()
    body = b"a" * 65_000
    connection.sendall(POST + b"Content-Length: 65000\r\n\r\n" + body + HEAD + b"X-A: a\r\n")
    assert statuses(connection.recv(1000)) == [200]
    connection.sendall(b"\r\n")
    assert statuses(connection.recv(1000)) == [200]


def test_what_is_no_http_is_400(connect):
    connection = connect()
    connection.sendall(b"\x16\x03\x01\r\n\r\n")
    answer = all_of(connection)

    assert statuses(answer) == [400]
    assert b'"error":"This is no HTTP request"' in answer


@pytest.mark.parametrize("number", range(3))
def test_what_cannot_be_read_is_answered_like_everything_else(connect, number):
    headers = HEAD + b"Origin: http://localhost:5173\r\nX-Request-ID: mine\r\nX: y\r\n"
    request = [
        headers + b"X-A: " + b"a" * 70_000,
        headers + b"a\0: b\r\n\r\n",
        headers + b"X-A: a",
    ][number]
    connection = connect()
    connection.sendall(request)
    answer = all_of(connection)

    assert statuses(answer) == [[431, 400, 408][number]]
    code = [b"headers_too_large", b"invalid_request", b"request_timeout"][number]
    assert b"\r\nx-error-code: " + code in answer
    assert b"\r\nx-request-id: mine\r\n" in answer
    assert b"\r\naccess-control-allow-origin: http://localhost:5173\r\n" in answer
    assert b"\r\nx-process-time-ms: " in answer


def test_earlier_requests_are_answered_before_what_cannot_be_read(connect):
    connection = connect()
    connection.sendall(POST + b"Content-Length: 2\r\n\r\n{}" + b"\0\r\n\r\n")
    assert statuses(all_of(connection)) == [200, 400]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (POST + b"Content-Length: 20\r\n\r\n{", 408),  # half a request
        (b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n", 503),  # one that takes too long
    ],
)
def test_a_stop_does_not_wait_for_long(monkeypatch, server, connect, request_, status):
    monkeypatch.setattr(bounded_http, "ARRIVAL_SECONDS", 100)
    connection = connect()
    connection.sendall(request_)
    sleep(0.2)
    server.should_exit = True
    answer = all_of(connection)
    assert statuses(answer) == [status]
    assert b"\r\nx-request-id: " in answer


OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
WEBSOCKET = (
    b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
)


@pytest.mark.parametrize("offer", [OFFER, WEBSOCKET])
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_the_offer_of_another_protocol_is_ignored(connect, offer, piece):
    """curl --http2 and Java's HttpClient make it; the body is read all the same."""
    one = POST + offer + b"Content-Length: 12\r\n\r\n" + b'{"text":"a"}'
    chunked = POST + offer + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    requests = one + chunked + HEAD + offer + b"Connection: close\r\n\r\n"
    connection = connect()
    for start in range(0, len(requests), piece):
        connection.sendall(requests[start : start + piece])
    answer = all_of(connection)
    assert statuses(answer) == [200, 200, 200]
    assert [part.rpartition(b"\r\n")[2] for part in answer.split(b"HTTP/1.1 ")[1:]] == [
        b"12",
        b"3",
        b"0",
    ]


class TestAClientThatLeaves:
    """Nobody's fault: one line in the log, no traceback, and 499 in the figures."""

    def leave(self, connect, caplog, request):
        with caplog.at_level(logging.INFO):
            connection = connect()
            connection.sendall(request)
            sleep(0.1)
            connection.close()
            for _ in range(250):
                ours = [each for each in caplog.records if each.name != "uvicorn.access"]
                if ours:
                    break
                sleep(0.02)
        (record,) = ours
        return record

    def test_while_it_sends_its_body(self, connect, caplog):
        record = self.leave(connect, caplog, POST + b"Content-Length: 20\r\n\r\n{")
        assert record.status == 499

    @pytest.mark.parametrize("head", [b"G", HEAD])
    def test_while_it_sends_its_headers(self, connect, caplog, head):
        record = self.leave(connect, caplog, head)
        assert (record.status, record.method, record.route) == (499, "UNREADABLE", None)

    def test_while_it_waits(self, connect, caplog):
        record = self.leave(connect, caplog, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert record.status == 499

    def test_while_the_answer_is_written(self, connect, caplog):
        record = self.leave(connect, caplog, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert record.status == 499

    def test_but_not_after_it(self, connect, caplog):
        record = self.leave(connect, caplog, HEAD + b"\r\n")
        assert record.status == 200
