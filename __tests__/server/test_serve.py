"""`python src/app.py` as a process: start, stop, several workers, reload, wrong settings."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from processes import eventually, postmasters, processes
from tcp_proxy import free_port

from config.settings import PROJECT_ROOT


def register(url: str, name: str) -> httpx.Response:
    body = {"user_name": name, "password": "gopher1!", "password_confirm": "gopher1!"}
    body |= {"first_name": "Anna", "last_name": "Petrova"}
    return httpx.post(f"{url}/api/auth/register", json=body)


def run_app(tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """For a start that fails."""
    own = {"ENV_FILE": os.devnull, "DATA_DIR": str(tmp_path / "data")}
    return subprocess.run(
        [sys.executable, str(PROJECT_ROOT / "src" / "app.py")],
        env={"PATH": os.environ["PATH"], **own, **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_takes_as_many_connections_as_the_system_allows(start_server):
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, most), most))
    try:
        server = start_server(WORKERS="2").wait_until_ready()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    for worker in server.workers():
        limits = Path(f"/proc/{worker}/limits").read_text()
        [line] = [line for line in limits.splitlines() if line.startswith("Max open files")]
        assert int(line.split()[3]) == min(65_536, most)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly_and_keeps_its_data(start_server, tmp_path, how):
    server = start_server().wait_until_ready()
    assert register(server.url, "gopher_anna").status_code == 201
    assert server.stop(how) == 0
    assert postmasters(tmp_path / "data") == []
    again = start_server().wait_until_ready()
    assert register(again.url, "gopher_anna").status_code == 409


def test_a_stop_waits_for_no_request_that_does_not_arrive(start_server):
    server = start_server(SHUTDOWN_TIMEOUT="10").wait_until_ready()
    head = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n"
    clients = []
    for sent in (head + b"{", head[:20], b""):
        clients.append(socket.create_connection(("127.0.0.1", server.port)))
        clients[-1].sendall(sent)
    httpx.get(f"{server.url}/api/health-check")  # by now the others have been read
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    answers = [client.makefile("rb").read()[:12] for client in clients]
    assert answers == [b"HTTP/1.1 408", b"", b""]
    assert "499" not in server.log.read_text()


def test_two_workers_start_on_an_empty_disk_and_share_one_database(start_server, tmp_path):
    server = start_server(WORKERS="2").wait_until_ready()
    eventually(lambda: server.log.read_text().count("Application startup complete") == 2)
    assert server.log.read_text().count(f"documentation  {server.url}/docs") == 1
    assert len(postmasters(tmp_path / "data")) == 1
    assert server.stop() == 0
    assert postmasters(tmp_path / "data") == []


def test_a_killed_worker_is_replaced_and_the_database_stays(start_server, tmp_path):
    server = start_server(WORKERS="2").wait_until_ready()
    eventually(lambda: server.log.read_text().count("Application startup complete") == 2)
    worker = processes("spawn_main", parent=server.process.pid)[0]
    before = postmasters(tmp_path / "data")
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: server.log.read_text().count("Application startup complete") == 3)
    assert httpx.get(f"{server.url}/api/health-check").text == "OK"
    assert postmasters(tmp_path / "data") == before


def test_metrics_are_those_of_all_workers_the_killed_one_too(start_server, tmp_path):
    (tmp_path / "tmp").mkdir()
    pool = {"DB_POOL_MIN": "3", "DB_POOL_MAX": "3"}
    server = start_server(WORKERS="2", TMPDIR=str(tmp_path / "tmp"), **pool).wait_until_ready()
    line = 'gophertalk_http_requests_total{method="GET",route="unmatched",status="404"} '

    def connections():
        shown = httpx.get(f"{server.url}/metrics").text
        assert f"{line}20.0" in shown
        return float(shown.partition("\ngophertalk_db_pool_connections ")[2].partition("\n")[0])

    for number in range(20):
        httpx.get(f"{server.url}/nowhere/{number}")
    eventually(lambda: connections() == 6)
    os.kill(processes("spawn_main", parent=server.process.pid)[0], signal.SIGKILL)
    eventually(lambda: server.log.read_text().count("Application startup complete") == 3)
    eventually(lambda: connections() == 6)
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    assert server.stop() == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_killed_group_leaves_a_server_that_the_next_start_joins_and_stops(start_server, tmp_path):
    server = start_server().wait_until_ready()
    left = postmasters(tmp_path / "data")
    os.killpg(server.process.pid, signal.SIGKILL)
    assert postmasters(tmp_path / "data") == left
    again = start_server().wait_until_ready()
    assert postmasters(tmp_path / "data") == left
    assert again.stop() == 0
    assert postmasters(tmp_path / "data") == []


def test_a_killed_database_comes_back_by_itself(start_server, tmp_path):
    server = start_server().wait_until_ready()
    assert register(server.url, "gopher_anna").status_code == 201
    os.kill(postmasters(tmp_path / "data")[0], signal.SIGKILL)
    eventually(lambda: httpx.get(f"{server.url}/api/health-check").status_code == 200)
    eventually(lambda: register(server.url, "gopher_anna").status_code == 409)


def test_a_second_server_on_the_same_data_shares_the_database(start_server, tmp_path):
    first = start_server().wait_until_ready()
    second = start_server().wait_until_ready()
    assert register(first.url, "gopher_anna").status_code == 201
    assert register(second.url, "gopher_anna").status_code == 409
    assert first.stop() == 0
    assert httpx.get(f"{second.url}/api/health-check").text == "OK"


def test_a_folder_with_a_blank_will_do(start_server, tmp_path):
    server = start_server(tmp_path / "my data").wait_until_ready()
    assert register(server.url, "gopher_anna").status_code == 201


def test_reload_restarts_the_worker_and_keeps_the_database(start_server, tmp_path):
    server = start_server(RELOAD="true").wait_until_ready()
    before = postmasters(tmp_path / "data")
    (PROJECT_ROOT / "src" / "app.py").touch()
    eventually(lambda: server.log.read_text().count("Application startup complete") == 2)
    assert httpx.get(f"{server.url}/api/health-check").text == "OK"
    assert postmasters(tmp_path / "data") == before
    assert server.stop() == 0
    assert postmasters(tmp_path / "data") == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_request_that_runs_is_finished_before_the_end(start_server, workers):
    server = start_server(WORKERS=workers).wait_until_ready()
    eventually(lambda: server.log.read_text().count("Application startup complete") == int(workers))
    body = {"user_name": "gopher_anna", "password": "gopher1!", "password_confirm": "gopher1!"}
    text = json.dumps(body | {"first_name": "Anna", "last_name": "Petrova"}).encode()
    head = f"POST /api/auth/register HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n"
    head += "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(head.encode())
        assert b"100 Continue" in client.recv(1000)  # the request has begun
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: server.log.read_text().count("Shutting down") == int(workers))
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/api/health-check")
        client.sendall(text)
        assert client.recv(1000).startswith(b"HTTP/1.1 201 ")
    assert server.stop() == 0


def test_a_request_that_does_not_end_holds_up_the_stop_only_so_long(start_server):
    server = start_server(SHUTDOWN_TIMEOUT="2").wait_until_ready()
    head = (
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(head + b"\r\n")
        assert b"100 Continue" in client.recv(1000)
        assert server.stop() == 0


@pytest.mark.slow
def test_a_worker_that_cannot_start_ends_the_program(tmp_path):
    """Only the workers have a fault here: a file of their own, where a log cannot be."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if '--multiprocessing-fork' in sys.orig_argv:\n"
        "    os.environ['LOG_FILE'] = os.path.dirname(__file__)\n"
    )
    done = run_app(tmp_path, WORKERS="2", PORT=str(free_port()), PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "GopherTalk cannot start. The log says why." in done.stderr
    assert postmasters(tmp_path / "data") == []


def test_with_db_host_the_embedded_database_never_starts(start_server, tmp_path):
    server = start_server(DB_HOST="127.0.0.1", DB_PORT="1")
    eventually(lambda: "Application startup complete" in server.log.read_text())
    answer = httpx.get(f"{server.url}/api/health-check")
    assert (answer.status_code, answer.text) == (500, "DB connection failed")
    assert httpx.get(f"{server.url}/api/ping").json()["database"] == "down"
    assert "\ngophertalk_db_up 0.0\n" in httpx.get(f"{server.url}/metrics").text
    assert f"GopherTalk     {server.url}/api" in server.log.read_text()
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORT": "none", "BCRYPT_ROUNDS": "99"}, ["PORT", "BCRYPT_ROUNDS"]),
        ({"ACCESS_TOKEN_SECRET": "short"}, ["REFRESH_TOKEN_SECRET"]),
        ({"ENV_ALLOWED_ORIGINS": "null"}, ["ENV_ALLOWED_ORIGINS"]),
        ({"LOG_FILE": "/"}, ["LOG_FILE", "Is a directory"]),
        ({"DATA_DIR": __file__}, ["DATA_DIR", __file__]),
        ({"DB_HOST": "127.0.0.1", "DATA_DIR": __file__}, ["DATA_DIR", __file__]),
        ({"ENV_FILE": "/no/such/file"}, ["ENV_FILE"]),
    ],
)
@pytest.mark.slow
def test_wrong_settings_stop_the_start_with_one_line(tmp_path, settings, words):
    done = run_app(tmp_path, **settings)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert all(word in done.stderr for word in words)


@pytest.mark.parametrize("log_format", ["plain", "json"])
def test_no_secret_reaches_the_log(start_server, tmp_path, log_format):
    file = tmp_path / "app.log"
    server = start_server(LOGLEVEL="DEBUG", LOG_FORMAT=log_format, LOG_FILE=str(file))
    url = server.wait_until_ready().url
    tokens = register(url, "gopher_anna").json()
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    headers = {"Authorization": f"Bearer {access}", "Idempotency-Key": "key-of-an-order"}
    httpx.get(f"{url}/api/users/me?token={access}&x=in-a-query", headers=headers)
    httpx.get(f"{url}/api/users/me", headers={"Authorization": "Basic bm90LWEtdG9rZW4="})
    httpx.post(f"{url}/api/orders", headers=headers, json={"items": []})
    httpx.post(
        f"{url}/api/auth/login", json={"user_name": "gopher_anna", "password": "wrong-one1!"}
    )
    httpx.post(f"{url}/api/auth/refresh", json={"refresh_token": refresh})
    httpx.post(f"{url}/api/auth/refresh", json={"refresh_token": [refresh]})
    httpx.get(f"{url}/api/app/valid/754321:xyz9AbC2DeF3GhI4JkL0")
    server.stop()
    log = server.log.read_text() + file.read_text()
    assert "/api/users/me took" in log
    assert "/api/auth/refresh took" in log
    for secret in (
        *("gopher1!", "wrong-one1!", access, refresh, "xyz9AbC2DeF3GhI4JkL0"),
        *("key-of-an-order", "in-a-query", "bm90LWEtdG9rZW4"),
        *((tmp_path / "data" / "secrets.json").read_text().split('"')[3::4]),
    ):
        assert secret not in log


def test_json_is_one_object_for_each_request(start_server, tmp_path):
    server = start_server(LOG_FORMAT="json").wait_until_ready()
    httpx.get(f"{server.url}/api/posts/7?limit=1", headers={"X-Request-ID": "of-this-test"})
    server.stop()
    entries = [json.loads(line) for line in server.log.read_text().splitlines()]
    [entry] = [each for each in entries if each.get("request_id") == "of-this-test"]
    ms = entry.pop("ms")
    assert entry.pop("time")
    assert entry == {
        "level": "INFO",
        "logger": "gophertalk.access",
        "message": f"GET /api/posts/7 took {ms:.2f} ms",
        "method": "GET",
        "path": "/api/posts/7",
        "status": 401,
        "route": "/api/posts/{post_id}",
        "request_id": "of-this-test",
    }


def test_faults_of_every_route_are_counted_from_the_start(start_server):
    """Else alerts would miss the first: increase() does not see a first value."""
    shown = start_server().wait_until_ready().metrics()
    for labels in ('method="POST",route="/api/orders"', 'method="GET",route="/docs"'):
        for status in ("499", "500", "503"):
            assert f'gophertalk_http_requests_total{{{labels},status="{status}"}} 0.0' in shown
    assert 'duration_seconds_count{method="POST",route="/api/orders"' not in shown
