"""Bytes that no HTTP library would send, on a socket: odd framing, odd paths, half a request."""

import http.client
import re
import socket
from urllib.parse import urlsplit

import pytest
from jose import jws
from operations import OPERATIONS

from config.secrets import token_secrets
from utils import jwt

pytestmark = pytest.mark.slow

GET = b"GET /api/ping HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SECOND = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
# What a proxy in front might read otherwise than we do is refused, and nothing after it is read.
AMBIGUOUS = {
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n{}",
    "a hexadecimal length": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "no length": POST + b"Content-Length: \r\n\r\n{}",
    "a length that overflows": POST + b"Content-Length: 18446744073709551618\r\n\r\n{}",
    "a length in other digits": POST + "Content-Length: ٢\r\n\r\n{}".encode(),
    "both": POST + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "chunked, then not": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "another encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a vertical tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "a folded header": POST + b"X-A: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "bare line feeds": POST.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n",
    "a bare carriage return": POST + b"X-A: a\rContent-Length: 2\r\n\r\n{}",
    "NUL in a header": POST + b"X-A: a\0b\r\n\r\n",
    "no chunk size": POST + CHUNKED + b"\r\nZZ\r\n{}\r\n0\r\n\r\n",
    "a chunk size that overflows": POST + CHUNKED + b"\r\nFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    "CONNECT": b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method in lower case": b"get /api/ping HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9": b"GET /api/ping HTTP/9.9\r\nHost: x\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303"),
    "a blank in the path": b"GET /api/pi ng HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw bytes in the path": b"GET /api/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path without a slash": b"GET api/ping HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path of 100 KB": b"GET /api/" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
}
# What is odd and clear is answered as ever, or refused by the app.
CLEAR = {
    "a full address": (b"GET http://evil.example/api/ping HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    "HTTP/1.0": (b"GET /api/ping HTTP/1.0\r\n\r\n", 200),
    "a fragment": (b"GET /api/ping#x HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    "an upgrade": (GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200),
    "another method in a header": (GET + b"X-HTTP-Method-Override: DELETE\r\n\r\n", 200),
    "another path in a header": (GET + b"X-Original-URL: /api/users\r\n\r\n", 200),
    "a zipped body": (POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 422),
    "a body too large": (POST + b"Content-Length: 65537\r\n\r\n", 413),
    "a chunk extension": (POST + CHUNKED + b"\r\n2;a=b\r\n{}\r\n0\r\n\r\n", 422),
    "a star": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "TRACE": (b"TRACE /api/ping HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    "two slashes": (b"GET //evil.example/api/ping HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "dots": (b"GET /api/../docs-assets/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "dots in assets": (
        b"GET /docs-assets/..%2f..%2f..%2fetc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        404,
    ),
    "NUL in assets": (b"GET /docs-assets/%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "the offer of a WebSocket": (
        b"GET /api/posts HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        401,
    ),
}


@pytest.fixture
def connect(db, server):
    opened = []

    def connect():
        opened.append(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def statuses(connection):
    """Of all answers until the server closes, or says no more."""
    connection.settimeout(0.3)
    answer = b""
    try:
        while data := connection.recv(65536):
            answer += data
    except (TimeoutError, ConnectionResetError):
        pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def test_what_can_be_read_in_two_ways_ends_the_connection(connect, subtests):
    for name, content in AMBIGUOUS.items():
        with subtests.test(name):
            connection = connect()
            connection.sendall(content + SECOND)
            assert statuses(connection) in ([400], [431])


def test_what_is_odd_and_clear_is_answered(connect, subtests):
    for name, (content, status) in CLEAR.items():
        with subtests.test(name):
            connection = connect()
            connection.sendall(content)
            assert int(connection.recv(12)[9:]) == status


def test_requests_in_a_row_are_answered_in_a_row(connect):
    connection = connect()
    requests = [POST + b"Content-Length: 2\r\n\r\n{}", GET + b"\r\n", SECOND]
    connection.sendall(b"".join(requests))
    connection.settimeout(30)
    connection.recv(1, socket.MSG_PEEK)

    assert statuses(connection) == [422, 200, 404]


def test_half_requests_hold_neither_threads_nor_connections_to_the_database(connect, web, anna):
    """Three hundred of them, where each worker has 40 threads and 10 connections."""
    bearer = f"Authorization: Bearer {anna.access_token}\r\n".encode()
    halves = [
        GET,
        POST + b"Content-Length: 20\r\n\r\n{",
        POST + CHUNKED + b"\r\n5\r\n{",
        POST.replace(b"auth/login", b"posts") + bearer + b"Content-Length: 20\r\n\r\n{",
    ]
    for number in range(300):
        connect().sendall(halves[number % 4])

    for _ in range(40):
        body = {"text": "Hello"}
        assert web.post("/api/posts", json=body, headers=anna.headers).status_code == 201
        assert web.get("/api/posts", headers=anna.headers).status_code == 200


def test_who_does_not_read_the_answers_holds_nobody_up(connect, web, anna):
    bearer = f"Authorization: Bearer {anna.access_token}\r\n\r\n".encode()
    for _ in range(20):
        connect().sendall((GET.replace(b"ping", b"posts") + bearer) * 200)

    assert web.get("/api/posts", headers=anna.headers).status_code == 200


ODD_ENDS = [
    "%00",
    "%0A",
    "%0D%0A",
    "/..",
    "/%2e%2e",
    ";a=1",
    "%20",
    "\\",
    "%2500",
    "/" + "a" * 8000,
]
ODD_BEGINNINGS = ["/", "/.", "/x/..", "/%2e", "/%00", "/api", "/API/.."]


def test_every_path_is_its_own_alone(server, root_headers, subtests):
    """Whatever stands before or behind it, a superuser gets nothing and breaks nothing."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    paths = {each.path: each.parameters("path") for each in OPERATIONS.values()}
    for path, parameters in paths.items():
        if "token" in parameters:
            continue  # anything is a token
        nothing = {
            name: each["example"] if each["schema"].get("format") == "uuid" else 999_999_999
            for name, each in parameters.items()
        }
        url = path.format(**nothing)
        odd = [url + end for end in ODD_ENDS] + [start + url for start in ODD_BEGINNINGS]
        for each in (*odd, url.replace("/api", "/API")):
            for method in ("GET", "POST", "DELETE"):
                with subtests.test(f"{method} {each[:60]}"):
                    connection.request(method, each, headers=root_headers)
                    answer = connection.getresponse()
                    content = answer.read()
                    assert answer.status in (404, 405, 422)
                    assert b"aaaa" not in content


@pytest.fixture
def root_headers(person):
    return person("gopher_root", is_superuser=True).headers


class TestTheAuthorizationHeader:
    """What `routes/test_auth_routes.py` cannot send."""

    @pytest.fixture
    def ask(self, connect):
        def ask(*lines):
            connection = connect()
            connection.sendall(GET.replace(b"ping", b"users/me") + b"".join(lines) + b"\r\n")
            head = connection.recv(65536).split(b"\r\n\r\n")[0].lower()
            assert (b"www-authenticate: bearer" in head) == (b" 401 " in head)
            return int(head[9:12])

        return ask

    @pytest.fixture
    def token(self, anna):
        return anna.access_token.encode()

    @pytest.mark.parametrize(
        "line",
        [
            b"Authorization: Bearer %s\r\n",
            b"AUTHORIZATION: bearer %s\r\n",
            b"authorization:BEARER %s\r\n",
            b"Authorization:  \t Bearer %s\t  \r\n",  # blanks around a value are none of it
        ],
    )
    def test_its_case_and_the_blanks_around_it_do_not_matter(self, ask, token, line):
        assert ask(line % token) == 200

    @pytest.mark.parametrize(
        "line",
        [
            b"Authorization: Bearer\t%s\r\n",
            b"Authorization: Bearer %s,\r\n",
            b"Authorization: Bearer %s, Bearer %s\r\n",
            b"Authorization: Bearer=%s\r\n",
            b'Authorization: Bearer "%s"\r\n',
            b"Authorization: Bearer %s; realm=x\r\n",
            b"Authorization: Bearer %s\r\nAuthorization: Bearer %s\r\n",
            b"Authorization: \r\nAuthorization: Bearer %s\r\n",
            b"Authorization: Basic %s\r\n",
            b"Cookie: access_token=%s; Authorization=%s\r\n",
            b"Proxy-Authorization: Bearer %s\r\n",
            b"X-Authorization: Bearer %s\r\n",
        ],
    )
    def test_nothing_else_is_taken_for_it(self, ask, token, line):
        assert ask(line.replace(b"%s", token)) == 401

    def test_nor_is_the_query(self, web, anna):
        for name in ("access_token", "token", "Authorization"):
            answer = web.get("/api/users/me", params={name: anna.access_token})
            assert answer.status_code == 401

    def test_the_secret_is_no_key_of_another_algorithm(self, ask, anna):
        """A token that says RS256 or ES256, signed with our secret as HS256 would be."""
        claims = jwt.read(anna.access_token, "access", token_secrets().access)
        for header in (
            {"alg": "RS256"},
            {"alg": "ES256"},
            {"alg": "HS256", "kid": "../../dev/null"},
        ):
            signed = jws.sign(dict(claims), token_secrets().access, headers=header)
            expected = 200 if header["alg"] == "HS256" else 401
            assert ask(b"Authorization: Bearer " + signed.encode() + b"\r\n") == expected
