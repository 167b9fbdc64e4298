"""The two images: built from the Dockerfile without Docker, and run by podman."""

import json
import os
import secrets
import subprocess

import httpx
import pytest
from cluster import OwnPostgres
from containers import Container, podman
from programs import sentence_of
from shop import eventually
from tcp_proxy import free_port
from tools import needed_program

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.tools

COMPLETE, EXTERNAL = "gophertalk:complete", "gophertalk:external"
SIZES = {COMPLETE: 250_000_000, EXTERNAL: 200_000_000}
SECRETS = {"ACCESS_TOKEN_SECRET": "a" * 32, "REFRESH_TOKEN_SECRET": "r" * 32}
MEMBER = {
    "user_name": "gopher_anna",
    "password": "gopher1!",
    "password_confirm": "gopher1!",
    "first_name": "Anna",
    "last_name": "Petrova",
}


@pytest.fixture(scope="module", autouse=True)
def images():
    for program in ("buildah", "crun", "debootstrap", "podman"):
        needed_program(program, f"/usr/sbin/{program}")
    built = subprocess.run([PROJECT_ROOT / ".ci/image"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-5000:]


@pytest.fixture
def start():
    """Starts a container as `Container` does, on a port of its own; gives it and its URL."""
    containers = []

    def start(image, *command, **settings):
        port = free_port()
        containers.append(Container(image, *command, PORT=port, BCRYPT_ROUNDS=4, **settings))
        return containers[-1], f"http://127.0.0.1:{port}"

    yield start
    for container in containers:
        container.remove()


@pytest.fixture
def volume():
    name = f"gophertalk-test-{secrets.token_hex(4)}"
    yield f"--volume={name}:/data"
    podman("volume", "rm", "--force", name)


def is_ready(url):
    try:
        return httpx.get(f"{url}/api/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("image", SIZES)
def test_it_is_small_and_holds_nothing_but_the_server(image, start):
    size = json.loads(podman("image", "inspect", f"localhost/{image}").stdout)[0]["Size"]
    assert size < SIZES[image]
    container, _ = start(image, "-c", "sleep 60", options=("--entrypoint=/bin/sh",))
    tools = "cc gcc ld make pip pip3 curl wget git"
    assert container.run("sh", "-c", f"command -v {tools}").stdout == ""
    for module in ("pytest", "httpx", "pip"):
        assert container.run("python", "-c", f"import {module}").returncode == 1
    assert container.run("ls", "/app").stdout == "src\n"
    assert container.run("id", "-u").stdout == "10001\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_it_runs_read_only_and_keeps_its_data_in_one_volume(start, volume, workers):
    """As process 1, without any capability, without /dev/shm; ended by SIGTERM with 0."""
    container, url = start(COMPLETE, options=(volume,), WORKERS=workers)
    assert eventually(lambda: is_ready(url), 60), container.output()
    assert container.is_healthy()
    assert container.run("ls", "/dev/shm").returncode != 0
    assert container.run("touch", "/app/x").returncode != 0
    assert httpx.post(f"{url}/api/auth/register", json=MEMBER).status_code == 201
    assert container.stop() == 0, container.output()
    assert "Traceback" not in container.output()

    _, url = start(COMPLETE, options=(volume,), WORKERS=workers)
    assert eventually(lambda: is_ready(url), 60)
    login = {name: MEMBER[name] for name in ("user_name", "password")}
    assert httpx.post(f"{url}/api/auth/login", json=login).status_code == 200


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    postgres = OwnPostgres(tmp_path_factory.mktemp("cluster") / "postgres")
    postgres.start()
    yield postgres.main.settings()
    postgres.stop()


@pytest.mark.parametrize("image", SIZES)
def test_it_runs_as_any_user_with_another_database(start, postgres, image):
    container, url = start(image, options=("--user=54321:54321",), **postgres, **SECRETS)
    assert eventually(lambda: is_ready(url), 60), container.output()
    assert container.is_healthy()
    assert container.stop() == 0


def test_without_its_own_postgres_it_asks_for_another(start):
    container, _ = start(EXTERNAL)
    assert container.wait() == 2
    assert "set DB_HOST" in sentence_of(container.output())


def test_replicas_do_not_make_secrets_of_their_own(start, postgres):
    container, _ = start(EXTERNAL, **postgres)
    assert container.wait() == 2
    assert sentence_of(container.output()).startswith("Set ACCESS_TOKEN_SECRET and REFRESH_TOKEN_")


def test_a_wrong_setting_is_one_sentence(start):
    container, _ = start(COMPLETE, WORKERS="many")
    assert container.wait() == 2
    assert sentence_of(container.output()).startswith("Wrong settings: WORKERS: ")


def test_it_backs_up_another_database(start, postgres, tmp_path):
    """As anybody, into a folder of theirs."""
    mine = (f"--volume={tmp_path}:/backup", f"--user={os.getuid()}")
    for command in ("migrate", "backup", "restore"):
        arguments = [] if command == "migrate" else ["/backup/gophertalk.dump"]
        container, _ = start(COMPLETE, command, *arguments, options=mine, **postgres, **SECRETS)
        assert container.wait() == 0, container.output()
    assert (tmp_path / "gophertalk.dump").stat().st_size > 10_000


def test_other_commands_are_there(start):
    container, _ = start(COMPLETE, "openapi")
    assert container.wait() == 0
    assert json.loads(container.output())["info"]["title"] == "GopherTalk"
