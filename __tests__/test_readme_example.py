"""The README's example of a new resource, followed by hand: a copy of the project has it then."""

import os
import re
import shutil
import subprocess
import sys

import httpx
import pytest
from live_server import LiveServer
from readme import blocks, section
from tools import needed_module

from config.settings import PROJECT_ROOT

EXAMPLE = "Add a resource in ten minutes"
FILE = re.compile(r"`(\S+\.\w+)`:\n\n```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HELLO = {"text": "Tea at five."}


def with_added_lines(text, diff):
    """Puts each line with a plus behind the line before it in the diff."""
    for above, added in re.findall(r"^ (.*)\n((?:^\+.*\n)+)", diff, flags=re.MULTILINE):
        new = "".join(f"{line[1:]}\n" for line in added.splitlines())
        assert text.count(f"{above}\n") == 1
        text = text.replace(f"{above}\n", f"{above}\n{new}")
    return text


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, with the blocks in their places."""
    copy = tmp_path_factory.mktemp("project")
    for part in ("src", "__tests__"):
        shutil.copytree(PROJECT_ROOT / part, copy / part)
    shutil.copy(PROJECT_ROOT / "pyproject.toml", copy)
    files = FILE.findall(section(EXAMPLE))
    assert len(files) == 8
    for name, language, block in files:
        file = copy / name
        assert file.exists() == (language == "diff")
        file.write_text(with_added_lines(file.read_text(), block) if language == "diff" else block)
    return copy


def test_its_own_test_passes_and_the_layers_are_kept(project):
    (command,) = blocks(EXAMPLE, "bash")
    arguments = command.strip().removeprefix(".venv/bin/python ").split()
    more = ["__tests__/test_architecture.py", "__tests__/routes/test_guards.py"]
    for tests in (arguments, ["-m", "pytest", *more]):
        done = subprocess.run(
            [sys.executable, *tests, "-q", "-p", "no:cacheprovider"],
            cwd=project,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.tools
def test_the_linters_have_nothing_to_say(project):
    needed_module("ruff")
    new = [name for name, _, _ in FILE.findall(section(EXAMPLE)) if name.endswith(".py")]
    for check in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, *new]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.fixture
def server(project, tmp_path):
    """The copy, served; and its administrator."""
    server = LiveServer(tmp_path / "data", project)
    try:
        server.wait_until_ready().create_superuser("For-the-test-1!")
        yield server.url
    finally:
        server.stop()


def test_the_new_endpoints_work_over_http(server):
    url = f"{server}/api/announcements"
    body = {"user_name": "admin", "password": "For-the-test-1!"}
    admin = bearer(httpx.post(f"{server}/api/auth/login", json=body))
    body = {"user_name": "gopher_anna", "password": "gopher1!", "password_confirm": "gopher1!"}
    names = {"first_name": "Anna", "last_name": "Petrova"}
    member = bearer(httpx.post(f"{server}/api/auth/register", json=body | names))

    assert httpx.get(url, headers=member).json() == []
    made = httpx.post(url, json=HELLO, headers=admin)
    assert made.status_code == 201
    assert httpx.get(url, headers=member).json() == [made.json()]
    assert made.json().keys() == {"id", "text", "created_at"}
    assert httpx.post(url, json=HELLO, headers=member).status_code == 403
    assert httpx.post(url, json=HELLO).status_code == 401
    assert httpx.post(url, json={"text": ""}, headers=admin).status_code == 422
    paths = httpx.get(f"{server}/openapi.json").json()["paths"]
    assert paths["/api/announcements"].keys() == {"get", "post"}


def bearer(answer):
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
