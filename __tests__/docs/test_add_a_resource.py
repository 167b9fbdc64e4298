"""docs/add-a-resource.md, followed by hand: a copy of the project has the new resource then."""

import os
import re
import shutil
import subprocess
import sys

import httpx
import pytest
from live_server import LiveServer
from pages import RECIPE
from tools import needed_module

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.slow

FILE = re.compile(r"`(\S+\.\w+)`:\n\n```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILES = FILE.findall(RECIPE.section("The files"))
HELLO = {"text": "Tea at five."}
NOT_COPIED = shutil.ignore_patterns(
    *(".data", ".git", ".venv", "*_cache", "__pycache__", "node_modules")
)


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
    copy = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(PROJECT_ROOT, copy, ignore=NOT_COPIED)
    assert len(FILES) == 9
    for name, language, block in FILES:
        file = copy / name
        assert file.exists() == (language == "diff")
        file.write_text(with_added_lines(file.read_text(), block) if language == "diff" else block)
    return copy


def python(project, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_quick_test_passes(project):
    """After the page's commands; no file is edited for the tests."""
    commands = RECIPE.blocks("Run it", "bash")
    assert [command.strip().rpartition("/")[2] for command in commands] == [
        "test_announcement_routes.py",
        "generate.py",
        "python -m pytest -n 2 --dist loadfile",
    ]
    for command in commands:
        python(project, *command.strip().removeprefix(".venv/bin/python ").split())


@pytest.mark.tools
def test_the_linters_have_nothing_to_say(project):
    needed_module("ruff")
    new = [name for name, _, _ in FILES if name.endswith(".py")]
    for check in (["check"], ["format", "--check"]):
        python(project, "-m", "ruff", *check, *new)


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
    assert httpx.delete(f"{url}/{made.json()['id']}", headers=admin).status_code == 204


def bearer(answer):
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
