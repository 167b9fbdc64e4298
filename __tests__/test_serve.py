"""`python src/app.py` as a process: start, stop, several workers, reload, wrong settings."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from config.settings import PROJECT_ROOT


def processes(words: str, parent: int | None = None) -> list[int]:
    command = ["ps", "-ww", "-eo", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    split = [line.split(maxsplit=2) for line in listed]
    return [int(p) for p, pp, args in split if words in args and parent in (None, int(pp))]


def postmasters(data_dir: Path) -> list[int]:
    return processes(f"data_folder={data_dir}/")


def eventually(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


def register(url: str, name: str) -> httpx.Response:
    body = {"user_name": name, "password": "gopher1!", "password_confirm": "gopher1!"}
    body |= {"first_name": "Anna", "last_name": "Petrova"}
    return httpx.post(f"{url}/api/auth/register", json=body)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly_and_keeps_its_data(start_server, tmp_path, how):
    server = start_server().wait_until_ready()
    assert register(server.url, "gopher_anna").status_code == 201
    assert server.stop(how) == 0
    assert postmasters(tmp_path / "data") == []
    again = start_server().wait_until_ready()
    assert register(again.url, "gopher_anna").status_code == 409


def test_two_workers_start_on_an_empty_disk_and_share_one_database(start_server, tmp_path):
    server = start_server(WORKERS="2").wait_until_ready()
    eventually(lambda: server.log.read_text().count("Application startup complete") == 2)
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


def test_with_db_host_the_embedded_database_never_starts(start_server, tmp_path):
    server = start_server(DB_HOST="127.0.0.1", DB_PORT="1")
    eventually(lambda: "Uvicorn running" in server.log.read_text())
    answer = httpx.get(f"{server.url}/api/health-check")
    assert (answer.status_code, answer.text) == (500, "DB connection failed")
    assert httpx.get(f"{server.url}/api/ping").json()["database"] == "down"
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORT": "none", "BCRYPT_ROUNDS": "99"}, ["PORT", "BCRYPT_ROUNDS"]),
        ({"ACCESS_TOKEN_SECRET": "short"}, ["REFRESH_TOKEN_SECRET"]),
        ({"ENV_ALLOWED_ORIGINS": "*"}, ["ENV_ALLOWED_ORIGINS"]),
    ],
)
def test_wrong_settings_stop_the_start_with_one_line(tmp_path, settings, words):
    done = subprocess.run(
        [sys.executable, str(PROJECT_ROOT / "src" / "app.py")],
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(tmp_path / "data"),
            **settings,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert all(word in done.stderr for word in words)


def test_no_secret_reaches_the_log(start_server, tmp_path):
    server = start_server(LOGLEVEL="DEBUG").wait_until_ready()
    tokens = register(server.url, "gopher_anna").json()
    httpx.get(
        f"{server.url}/api/users/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    httpx.post(f"{server.url}/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    server.stop()
    log = server.log.read_text()
    assert "/api/users/me took" in log
    for secret in ("gopher1!", tokens["access_token"], tokens["refresh_token"]):
        assert secret not in log
