"""What README.md shows works."""

import re
import shutil
import subprocess
import traceback
from pathlib import Path

import pytest
from pages import OPERATIONS, README

from config.settings import PROJECT_ROOT
from repositories import post_repository

SRC = PROJECT_ROOT / "src"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tours need curl")
@pytest.mark.slow
def test_every_line_of_the_tours_works(start_server, tmp_path):
    """The one of README.md, then the administrator's."""
    server = start_server().wait_until_ready()
    password = "For-the-tour-1!"
    server.create_superuser(password)
    (tour,) = README.blocks("A tour with curl", "bash")
    start, admin_tour = OPERATIONS.blocks("The administrator", "bash")
    assert start.strip() == ".venv/bin/python src/create_superuser.py"
    script = f"set -euo pipefail\nPASSWORD='{password}'\n{tour}\n{admin_tour}"
    script = script.replace("http://127.0.0.1:3000", server.url)
    # A command inside $(...) must not fail unnoticed either.
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Hello, gophers!" in done.stdout
    assert '"user_liked":true' in done.stdout
    assert '"kind":"mention"' in done.stdout
    assert '{"count":2}' in done.stdout
    assert "Hello, gophers and friends!" in done.stdout
    assert '"action":"role.create"' in done.stdout


def test_both_commands_install_the_same_locked_requirements():
    (run,) = README.blocks("Run the server", "bash")
    (test,) = README.blocks("Run the tests", "bash")
    install, more = (line.rpartition(" && ")[0] for line in (run, test))
    assert more == f"{install} -r __tests__/requirements.txt"
    assert "--require-hashes -r requirements.txt" in install


@pytest.mark.parametrize("heading", ["Run the server", "Run the tests"])
def test_the_commands_for_windows_are_the_same(heading):
    (command,) = README.blocks(heading, "bash")
    (for_windows,) = README.blocks(heading, "powershell")
    translated = for_windows.replace("py -m venv", "python3 -m venv").replace("\\", "/")
    translated = translated.replace(".venv/Scripts/", ".venv/bin/")
    assert translated.splitlines() == command.strip().split(" && ")


@pytest.mark.parametrize(
    "row", README.table("If you know other frameworks"), ids=lambda row: row[0].split(",")[0]
)
def test_a_fact_is_what_its_command_shows(row):
    _, claim, command = row
    done = subprocess.run(
        ["bash", "-c", command.strip("`")], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.strip()
    for promised in re.findall(r"about (\d+) lines", claim):
        shown = int(done.stdout.split()[0])
        right = 0.8 * shown <= int(promised) <= 1.25 * shown
        assert right, f"README.md and README.ru.md say {promised}, it is {shown}: {command}"


def test_the_stops_of_a_request_are_those_of_a_traceback(client, anna, monkeypatch, caplog):
    """A statement fails: the traceback in the log passes the files in the order of the list."""

    def fail(*_, **__):
        raise RuntimeError("the statement fails")

    monkeypatch.setattr(post_repository, "fetch_all", fail)
    client.get("/api/posts", headers=anna.headers)
    [record] = [record for record in caplog.records if record.exc_info]
    files = [Path(frame.filename) for frame in traceback.extract_tb(record.exc_info[2])]
    passed = [file.relative_to(PROJECT_ROOT).as_posix() for file in files if SRC in file.parents]

    named = re.findall(r"`(src/[\w/]+\.py)`", README.section("The stops of a request"))
    assert [file for file in named if file in passed] == [
        file for file in dict.fromkeys(passed) if file in named
    ]
    assert {file.split("/")[1] for file in named if file in passed} == {
        "dependencies",
        "controllers",
        "services",
        "repositories",
    }
