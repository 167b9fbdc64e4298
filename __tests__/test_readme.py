"""What README.md and .env.example say is true."""

import re
import shutil
import subprocess
import sys

import endpoint_table
import psycopg
import pytest
from programs import run
from readme import README, blocks, section, table

from config.settings import PROJECT_ROOT, Settings
from packages import embedded_postgres

EXAMPLE = (PROJECT_ROOT / ".env.example").read_text()
VARIABLES = {name.upper() for name in Settings.model_fields}


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour needs curl")
def test_every_line_of_the_tours_works(start_server, tmp_path):
    server = start_server().wait_until_ready()
    password = "For-the-tour-1!"
    server.create_superuser(password)
    (tour,) = blocks("A tour with curl", "bash")
    start, admin_tour = blocks("The administrator", "bash")
    assert start.strip() == ".venv/bin/python src/create_superuser.py"
    script = f"set -euo pipefail\nPASSWORD='{password}'\n{tour}\n{admin_tour}"
    script = script.replace("http://127.0.0.1:3000", server.url)
    # A command inside $(...) must not fail unnoticed either.
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Hello, gophers!" in done.stdout
    assert '"user_liked":true' in done.stdout
    assert '"action":"role.create"' in done.stdout


def test_the_settings_table_names_every_setting():
    named = {name for cell, *_ in table("Settings") for name in re.findall(r"`([A-Z_]+)`", cell)}
    assert named == VARIABLES


def test_the_example_names_every_setting_with_its_default():
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE))
    assert given.keys() == VARIABLES
    for name, field in Settings.model_fields.items():
        text = given[name.upper()]
        if text:
            default = field.get_default()
            loaded = getattr(Settings(_env_file=None, **{name: text}), name)
            assert loaded == default, name


def test_the_example_works_when_copied_as_it_is(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    copy = tmp_path / ".env"
    copy.write_text(EXAMPLE)
    assert Settings(_env_file=copy) == Settings(_env_file=None)


def test_both_commands_install_the_lock_and_the_tests_their_own_beside():
    (run,) = blocks("Run the server", "bash")
    (test,) = blocks("Run the tests", "bash")
    install, _, _ = run.rpartition(" && ")
    assert install.endswith("--require-hashes -r requirements.txt")
    assert test.startswith(f"{install} -r __tests__/requirements.txt && ")


@pytest.mark.parametrize("heading", ["Run the server", "Run the tests"])
def test_the_commands_for_windows_are_the_same(heading):
    (command,) = blocks(heading, "bash")
    (for_windows,) = blocks(heading, "powershell")
    translated = for_windows.replace("py -m venv", "python3 -m venv").replace("\\", "/")
    translated = translated.replace(".venv/Scripts/", ".venv/bin/")
    assert translated.splitlines() == command.strip().split(" && ")


def test_the_table_of_endpoints_is_the_code():
    written = endpoint_table.in_text("README.md", section("Every endpoint"))
    assert written == endpoint_table.table("README.md"), "run __tests__/support/endpoint_table.py"


def test_the_table_of_commands_is_the_program():
    shown = run("manage.py", "--help").stdout
    commands = [row[0].strip("`") for row in table("The command line")]
    assert commands
    assert commands == re.findall(r"^│ ([a-z][a-z-]+)  ", shown, flags=re.MULTILINE)
    for _, program, _ in table("The command line"):
        assert (PROJECT_ROOT / program.strip("`")).exists()


def test_every_file_that_is_named_is_there():
    in_example = set(
        re.findall(r"`(\S+)`:$", section("Add a resource in ten minutes"), re.MULTILINE)
    )
    links = re.findall(r"\]\((?!http|#)([^)]+)\)", README)
    named = re.findall(r"`((?:src|__tests__|bench|docs)/[\w/.]*)`", README)
    missing = {name for name in (*named, *links) if not (PROJECT_ROOT / name).exists()}
    assert missing <= in_example - {"src/routes/__init__.py"}


@pytest.mark.parametrize(
    "row", table("If you know other frameworks"), ids=lambda row: row[0].split(",")[0]
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


def test_a_backup_brings_back_what_was_deleted(tmp_path):
    """Both commands, on a PostgreSQL of the same kind."""
    data_dir = tmp_path / "data"
    make, restore = (
        block.replace(".venv/bin/python", sys.executable).replace("$PWD/.data", str(data_dir))
        for block in blocks("Backups", "bash")
    )
    assert run("migrate.py", DATA_DIR=str(data_dir)).returncode == 0
    server = embedded_postgres.start(data_dir, "gophertalk")
    try:
        with psycopg.connect(**server.conninfo, autocommit=True) as connection:
            connection.execute("UPDATE roles SET description = 'Ours' WHERE name = 'user'")
            subprocess.run(["bash", "-euc", make], cwd=tmp_path, check=True)
            connection.execute("UPDATE roles SET description = 'Lost' WHERE name = 'user'")
            subprocess.run(["bash", "-euc", restore], cwd=tmp_path, check=True)
            rows = connection.execute("SELECT description FROM roles WHERE name = 'user'")
            assert rows.fetchall() == [("Ours",)]
    finally:
        server.release()
