"""What docs/operations.md shows works."""

import os
import re
import shutil
import stat
import subprocess
import sys

import psycopg
import pytest
from alerts import ALERTS, RULES
from pages import OPERATIONS
from programs import run, sentence
from tools import needed_program

from config.setting_rules import SECRET_BYTES
from config.settings import PROJECT_ROOT
from migrations.files import load_migrations
from packages import embedded_postgres


def test_the_table_of_commands_is_the_program():
    shown = run("manage.py", "--help").stdout
    rows = OPERATIONS.table("The command line")
    commands = [row[0].strip("`") for row in rows]
    assert commands
    assert commands == re.findall(r"^│ ([a-z][a-z-]+)  ", shown, flags=re.MULTILINE)
    for _, program, _ in rows:
        assert (PROJECT_ROOT / program.strip("`")).exists()


def follow(block, project, data_dir):
    """Runs the commands of a block in a project's folder."""
    subprocess.run(
        ["bash", "-euc", block.replace(".venv/bin/python", sys.executable)],
        cwd=project,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(data_dir)},
        check=True,
    )


def ask(data_dir, query):
    server = embedded_postgres.start(data_dir, "gophertalk")
    try:
        with psycopg.connect(**server.conninfo) as connection:
            return connection.execute(query).fetchone()
    finally:
        server.release()


def describe(data_dir, text):
    """Changes a row that a migration made."""
    query = f"UPDATE roles SET description = '{text}' WHERE name = 'user' RETURNING description"
    assert ask(data_dir, query) == (text,)


def description(data_dir):
    return ask(data_dir, "SELECT description FROM roles WHERE name = 'user'")[0]


@pytest.fixture
def data_dir(tmp_path):
    assert run("migrate.py", DATA_DIR=str(tmp_path / "data")).returncode == 0
    return tmp_path / "data"


@pytest.fixture
def project(tmp_path):
    """A copy, in whose folder the commands write their files."""
    shutil.copytree(PROJECT_ROOT / "src", tmp_path / "project" / "src")
    return tmp_path / "project"


@pytest.mark.slow
def test_a_backup_brings_back_what_was_changed(data_dir, project):
    backup, restore = OPERATIONS.blocks("Backups", "bash")
    describe(data_dir, "Ours")
    follow(backup, project, data_dir)
    describe(data_dir, "Lost")
    follow(restore, project, data_dir)

    assert description(data_dir) == "Ours"


@pytest.mark.slow
def test_the_way_back_to_an_older_version(data_dir, project, tmp_path):
    """The old version is this one, the new one has a migration more."""
    backup, install, restore = OPERATIONS.blocks("Go back to an older version", "bash")
    assert "git checkout" in install
    new = shutil.copytree(project, tmp_path / "new") / "src"
    number = len(load_migrations()) + 1
    migration = "-- migrate:up\nALTER TABLE roles RENAME TO groups;\n"
    (new / "migrations" / f"{number:04}_new.sql").write_text(migration)

    describe(data_dir, "Ours")
    follow(backup, project, data_dir)
    assert run("migrate.py", src=new, DATA_DIR=str(data_dir)).returncode == 0
    assert "the code is older" in sentence(run("migrate.py", DATA_DIR=str(data_dir)))
    follow(restore, project, data_dir)

    assert description(data_dir) == "Ours"
    assert run("migrate.py", DATA_DIR=str(data_dir)).returncode == 0


def test_the_secrets_for_containers_are_those_that_compose_demands(tmp_path):
    (block,) = OPERATIONS.blocks("In containers", "bash")
    follow(block, tmp_path, tmp_path)
    made = dict(line.split("=") for line in (tmp_path / ".env").read_text().splitlines())
    demanded = re.findall(r"\$\{(\w+):\?}", (PROJECT_ROOT / "compose.yaml").read_text())
    assert made.keys() == set(demanded)
    assert len(set(made.values())) == len(made)
    assert all(len(secret) >= SECRET_BYTES for secret in made.values())
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_every_failure_names_its_alert():
    # These are no failure of a part: it takes more than one look to see why they fire.
    general = {"GopherTalkSlow", "GopherTalkPoolExhausted", "GopherTalkLoginsFailing"}
    named = [row[2] for row in OPERATIONS.table("When something fails")]
    assert all(named)
    assert set(re.findall(r"`(GopherTalk\w+)`", " ".join(named))) == set(ALERTS) - general


@pytest.mark.tools
def test_prometheus_takes_its_configuration(tmp_path):
    (block,) = OPERATIONS.blocks("Alerts", "yaml")
    (tmp_path / "prometheus.yml").write_text(block)
    shutil.copy(RULES, tmp_path)
    check = [needed_program("promtool"), "check", "config", tmp_path / "prometheus.yml"]
    checked = subprocess.run(check, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
