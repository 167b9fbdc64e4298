"""deploy/haproxy.cfg: two servers are restarted one by one, and no client notices."""

import re
import subprocess
from collections import Counter
from threading import Event, Thread

import httpx
import pytest
from live_server import NO_LIMITS
from shop import eventually
from tcp_proxy import free_port
from tools import needed_program

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.tools

REQUESTS = 10_000


@pytest.fixture
def start(start_server, postgres):
    """Starts another server on the same database."""
    settings = {**postgres.new_database().settings(), **NO_LIMITS}
    return lambda **more: start_server(**settings, **more).wait_until_ready()


@pytest.fixture
def servers(start):
    return [start(), start()]


@pytest.fixture
def haproxy(servers, tmp_path):
    """The address of HAProxy, which runs with the file as it is but for addresses."""
    program = needed_program("haproxy", "/usr/sbin/haproxy")
    port = free_port()
    text = (PROJECT_ROOT / "deploy/haproxy.cfg").read_text().replace("bind :80", f"bind :{port}")
    for server, address in zip(servers, ("10.0.0.11:3000", "10.0.0.12:3000"), strict=True):
        text = text.replace(address, server.url.removeprefix("http://"))
    assert "10.0.0" not in text
    file = tmp_path / "haproxy.cfg"
    file.write_text(text)
    process = subprocess.Popen([program, "-db", "-f", str(file)], stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


def get(url):
    try:
        return httpx.get(url)
    except httpx.TransportError:
        return httpx.Response(0)


def is_ready(server):
    return get(f"{server.url}/api/readyz").status_code == 200


def answered(server):
    """How many of the clients' requests this server has had."""
    text = get(f"{server.url}/metrics").text
    found = re.findall(r'^gophertalk_http_requests_total{.*/api/products".*} (\S+)$', text, re.M)
    return sum(map(float, found))


class Clients:
    """Each asks, without a pause and on a connection that it keeps, until it is told to stop and
    all together have asked often enough."""

    def __init__(self, url):
        self.url = url
        self.statuses = Counter()
        self.stop = Event()
        self.threads = [Thread(target=self.ask) for _ in range(8)]

    def ask(self):
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while not self.stop.is_set() or self.statuses.total() < REQUESTS:
                for method, path in (("GET", "/api/products"), ("POST", "/api/app/token")):
                    try:
                        self.statuses[client.request(method, path).status_code] += 1
                    except httpx.TransportError as error:
                        self.statuses[repr(error)] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def test_a_rolling_restart_fails_no_request(haproxy, servers, start, note):
    assert eventually(lambda: get(f"{haproxy}/api/readyz").status_code == 200)
    with Clients(haproxy) as clients:
        for turn in (0, 1, 0, 1):
            assert eventually(lambda: all(answered(server) for server in servers), 60)
            assert servers[turn].stop() == 0
            servers[turn] = start(PORT=str(servers[turn].port))
        assert eventually(lambda: all(answered(server) for server in servers), 60)

    seen = ", ".join(f"{number} x {status}" for status, number in clients.statuses.items())
    note("four rolling restarts of two servers", seen)
    assert clients.statuses == {200: clients.statuses.total()}
    assert clients.statuses.total() >= REQUESTS


def test_metrics_stay_inside(haproxy, servers):
    assert eventually(lambda: get(f"{haproxy}/api/readyz").status_code == 200)
    assert [get(f"{haproxy}/metrics{tail}").status_code for tail in ("", "/")] == [404, 404]


def test_when_no_server_is_there_haproxy_answers_in_the_same_way(haproxy, servers):
    for server in servers:
        server.stop()
    answer = get(f"{haproxy}/api/products")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.headers["X-Error-Code"] == "unavailable"
    assert answer.json()["error"] == answer.json()["detail"]
    assert answer.json()["error"] == "No server answers, please try again shortly"


def test_when_no_server_is_ready_their_own_answer_says_why(haproxy, servers, postgres):
    """JSON, with a header that says when to try again."""
    postgres.freeze()
    assert eventually(lambda: not any(is_ready(server) for server in servers))
    answer = get(f"{haproxy}/api/products")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["error"] == "The database is not available, please try again shortly"
