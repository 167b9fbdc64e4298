"""What README.md shows works."""

import re
import shutil
import subprocess

import pytest
from pages import OPERATIONS, README

from config.settings import PROJECT_ROOT


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
        assert 0.8 * shown <= int(promised) <= 1.25 * shown
