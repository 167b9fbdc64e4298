"""Which programs make a backup, and what they are told; stand-ins of a known version on PATH."""

import os

import pytest

from packages import postgres_backup
from packages.embedded_postgres.cluster import ProgramsMissingError
from packages.postgres_backup import BackupError, Source, dump

STAND_IN = """\
#!/bin/sh
if [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) 16.4 (Debian 16.4-1)"; exit; fi
for each; do case $each in --file=*) file=${each#--file=}; esac; done
echo "$PGPASSWORD $*" > "$file"
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A machine with nothing but version 16 on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "pg_dump").write_text(STAND_IN)
    (folder / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin")

    def not_installed():
        raise ProgramsMissingError

    monkeypatch.setattr(postgres_backup, "find_programs", not_installed)
    return folder


def made_by(source, tmp_path):
    dump(source, "public", tmp_path / "made")
    return (tmp_path / "made").read_text()


def test_the_password_is_in_the_environment_alone(path, tmp_path):
    made = made_by(Source({"PGPASSWORD": "gopher1!"}, 16, False), tmp_path)

    assert made.startswith("gopher1! --format=custom")
    assert made.count("gopher1!") == 1


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("pg_dump", "This machine has pg_dump (PostgreSQL) 16.4 (Debian 16.4-1): "),
        ("", "no pg_dump"),
    ],
)
def test_programs_that_are_older_than_the_server_or_not_there(found, expected, path, tmp_path):
    if not found:
        os.environ["PATH"] = str(tmp_path)
    with pytest.raises(BackupError) as refused:
        made_by(Source({}, 17, False), tmp_path)

    assert expected in str(refused.value)
    assert str(refused.value).endswith("install PostgreSQL's client programs, version 17 or newer.")
    assert not (tmp_path / "made").exists()


def test_an_encrypted_connection_stays_one(path, tmp_path, monkeypatch):
    """The embedded programs know no TLS."""
    monkeypatch.undo()
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}/usr/bin")

    assert made_by(Source({}, 16, True), tmp_path).startswith(" --format=custom")
