"""What docs/operations.md shows works."""

import re
import subprocess
import sys

import psycopg
import pytest
from pages import OPERATIONS
from programs import run

from config.settings import PROJECT_ROOT
from packages import embedded_postgres


def test_the_table_of_commands_is_the_program():
    shown = run("manage.py", "--help").stdout
    rows = OPERATIONS.table("The command line")
    commands = [row[0].strip("`") for row in rows]
    assert commands
    assert commands == re.findall(r"^│ ([a-z][a-z-]+)  ", shown, flags=re.MULTILINE)
    for _, program, _ in rows:
        assert (PROJECT_ROOT / program.strip("`")).exists()


@pytest.mark.slow
def test_a_backup_brings_back_what_was_deleted(tmp_path):
    """Both commands, on a PostgreSQL of the same kind."""
    data_dir = tmp_path / "data"
    make, restore = (
        block.replace(".venv/bin/python", sys.executable).replace("$PWD/.data", str(data_dir))
        for block in OPERATIONS.blocks("Backups", "bash")
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
