"""squawk finds in a migration what would block other sessions, or break older code."""

import subprocess

import pytest
from tools import needed_program

from config.settings import PROJECT_ROOT
from migrations.files import MIGRATIONS_DIR, load_migrations

pytestmark = pytest.mark.tools

CONFIG = PROJECT_ROOT / ".ci" / "squawk.toml"
BLOCKING = "-- migrate:up\nCREATE INDEX idx__posts__text ON posts (text);\n"


def lint(paths, in_transaction):
    transaction = "--assume-in-transaction" if in_transaction else "--no-assume-in-transaction"
    command = [needed_program("squawk"), "--config", CONFIG, "--reporter", "gcc", transaction]
    return subprocess.run([*command, *paths], capture_output=True, text=True)


@pytest.mark.parametrize("in_transaction", [True, False])
def test_the_projects_migrations_block_nobody(in_transaction):
    paths = [
        MIGRATIONS_DIR / f"{each.name}.sql"
        for each in load_migrations()
        if each.in_transaction == in_transaction
    ]
    found = lint(paths, in_transaction)
    assert found.returncode == 0, found.stdout + found.stderr


def test_an_index_that_blocks_writers_is_found(tmp_path):
    path = tmp_path / "9999_blocking.sql"
    path.write_text(BLOCKING)

    found = lint([path], in_transaction=True)

    assert found.returncode == 1
    assert "require-concurrent-index-creation" in found.stdout
