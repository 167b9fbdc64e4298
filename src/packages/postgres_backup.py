"""Backups of one schema of a PostgreSQL database, made and read by its own pg_dump and pg_restore.

The programs of the embedded PostgreSQL are used where they fit, else the machine's.
"""

# ruff: noqa: S603 (own commands, no shell)
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from io import TextIOWrapper
from itertools import takewhile
from pathlib import Path
from typing import IO, NamedTuple, cast

from packages.embedded_postgres.cluster import ProgramsMissingError, find_programs

ENVIRONMENT = {} if sys.platform == "win32" else {"PATH": os.defpath, "LC_ALL": "C"}
FILL_TABLE = re.compile(r"COPY .* FROM stdin;\n")
END_OF_ROWS = "\\.\n"
# Commands for psql, a setting that PostgreSQL knows from version 17 on, and one that would hide
# the schema from whatever follows.
LEFT_OUT = re.compile(
    r"\\(un)?restrict .*\n|SET transaction_timeout = 0;\n|SELECT .*set_config\('search_path', .*\n"
)


class BackupError(RuntimeError):
    """A backup cannot be made or read; the message says why and what to do."""


class Source(NamedTuple):
    """A database to back up."""

    environment: Mapping[str, str]  # how to connect, in libpq's PG... variables
    version: int  # the server's major one
    is_encrypted: bool  # the connection


class Step(NamedTuple):
    """A part of a backup: statements, or one `COPY ... FROM stdin` with its rows, a line each."""

    sql: str
    rows: Iterator[str] | None = None


def dump(source: Source, schema: str, file: Path) -> None:
    """Write the schema to the file, which its owner alone may read; all of it or nothing: an older
    file of the name stays until then. Raises BackupError."""
    program = _find("pg_dump", source.version, needs_encryption=source.is_encrypted)
    if file.exists() and not file.is_file():
        raise BackupError(f"{file} is no ordinary file: name another one.")
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
        os.close(descriptor)
        command = [program, "--format=custom", "--encoding=UTF8", "--no-password"]
        try:
            _run([*command, f"--schema={schema}", f"--file={draft}"], source.environment)
            os.replace(draft, file)
        except BaseException:
            Path(draft).unlink()
            raise
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}.") from error


def check(file: Path) -> None:
    """Read the whole file. Raises BackupError unless it is a whole backup."""
    program = _find("pg_restore")
    try:
        _run([program, f"--file={os.devnull}", file])
    except BackupError as error:
        raise BackupError(f"{file} is no whole backup: {error}") from error


def read(file: Path, schema: str, version: int) -> Iterator[Step]:
    """The steps that fill an empty schema, for a server of this major version.

    Raises BackupError, perhaps only after the last step: commit nothing before the end.
    """
    command = [_find("pg_restore", version), "--file=-", f"--schema={schema}"]
    command += ["--no-owner", "--no-privileges", "--no-comments", file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        script = TextIOWrapper(cast(IO[bytes], process.stdout), "utf-8", newline="\n")
        yield from _steps(iter(script))
    if process.returncode != 0:
        raise BackupError(f"{file} is no whole backup.")


def _steps(script: Iterator[str]) -> Iterator[Step]:
    statements = ""
    for line in script:
        if FILL_TABLE.fullmatch(line):
            yield Step(statements)
            yield Step(line, takewhile(lambda row: row != END_OF_ROWS, script))
            statements = ""
        elif not LEFT_OUT.fullmatch(line):
            statements += line
    yield Step(statements)


def _find(name: str, version: int = 0, needs_encryption: bool = False) -> Path:
    """The first program of the name that is no older than the server."""
    found = f"no {name}"
    for folder in _folders(needs_encryption):
        if path := shutil.which(name, path=folder):
            found = _run([path, "--version"]).strip()
            if int(re.findall(r"\d+", found)[0]) >= version:
                return Path(path)
    raise BackupError(
        f"This machine has {found}: install PostgreSQL's client programs"
        + (f", version {version} or newer." if version else ".")
    )


def _folders(needs_encryption: bool) -> Iterator[str | None]:
    """Where programs are; None is PATH. The embedded ones know no TLS."""
    if not needs_encryption:
        with suppress(ProgramsMissingError):
            yield str(find_programs())
    yield None


def _run(command: Sequence[str | Path], environment: Mapping[str, str] = {}) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        env={**ENVIRONMENT, **environment},
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"{command[0]} failed"]
        raise BackupError(f"{lines[-1].replace('error: ', '')}.")
    return done.stdout
