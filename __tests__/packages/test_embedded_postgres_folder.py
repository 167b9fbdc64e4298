"""What the embedded PostgreSQL offers, where its data may lie, and what it refuses to work with."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from packages import embedded_postgres
from packages.embedded_postgres import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    OutOfSpaceError,
    ProgramsMissingError,
)
from packages.embedded_postgres import account as embedded_postgres_account
from packages.embedded_postgres import cluster as embedded_postgres_cluster
from packages.embedded_postgres import posix as embedded_postgres_posix
from packages.file_lock import FileLock

pytestmark = pytest.mark.slow

NAME = "gophertalk"
LONG = "a-rather-long-name-for-a-folder-" * 5


@pytest.fixture
def data_root(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / ".data"
    yield folder
    stop_leftover(folder)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("running") / ".data"
    postgres = embedded_postgres.start(folder, NAME)
    yield postgres
    postgres.release()
    shutil.rmtree(folder)


def stop_leftover(folder: Path) -> None:
    """Stop a server that a failed test left behind."""
    with suppress(FileNotFoundError, ProcessLookupError):
        pid_file = folder / "postgres" / "postmaster.pid"
        os.kill(int(pid_file.read_text().partition("\n")[0]), signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


def row(postgres: EmbeddedPostgres, sql: str) -> Any:
    with psycopg.connect(**postgres.conninfo, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def works(postgres: EmbeddedPostgres) -> bool:
    with closing(psycopg.connect(**postgres.conninfo)) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def files_of(folder: Path) -> "list[Path]":
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_cyrillic_is_searched_and_folded(running: EmbeddedPostgres) -> None:
    found = row(running, "SELECT 'ПРИВЕТ, Ёж' ILIKE '%ёж', lower('ЩУКА'), 'Ж' ~* 'ж'")
    assert found == (True, "щука", True)


def test_application_role_has_its_database_and_no_more(running: EmbeddedPostgres) -> None:
    assert row(
        running,
        "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls "
        "FROM pg_roles WHERE rolname = current_user",
    ) == ("gophertalk", False, False, False, False, False)
    row(running, "CREATE EXTENSION pg_trgm")
    assert row(running, "SELECT cardinality(show_trgm('гофер'))") == (6,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        row(running, "COPY (SELECT 1) TO PROGRAM 'true'")


@pytest.mark.parametrize(
    "changed", [{"user": "postgres"}, {"dbname": "postgres"}, {"host": "127.0.0.1"}]
)
def test_no_other_way_in(changed: dict[str, str], running: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError) as refused:
        psycopg.connect(**{**running.conninfo, **changed}).close()
    if "host" not in changed:  # at that port another PostgreSQL may answer, but not this one
        assert "pg_hba.conf rejects connection" in str(refused.value)


def test_settings_keep_what_was_written(running: EmbeddedPostgres) -> None:
    for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert row(running, f"SHOW {name}") == ("on",)
    assert row(running, "SHOW timezone") == ("UTC",)


def test_log_holds_neither_statements_nor_values(running: EmbeddedPostgres) -> None:
    row(running, "CREATE TABLE names (name text CONSTRAINT pk__names PRIMARY KEY)")
    row(running, "INSERT INTO names VALUES ('secret-value')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        row(running, "INSERT INTO names VALUES ('secret-value')")
    logs = files_of(Path(str(running.conninfo["host"])) / "log")
    assert logs
    assert not [log for log in logs if b"names" in log.read_bytes()]


@pytest.mark.parametrize(
    "name", ["with a blank", "сова, и ещё", LONG], ids=["blank", "comma", "long"]
)
def test_name_of_the_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = Path(tempfile.mkdtemp(prefix="gt-"))
    monkeypatch.setattr(tempfile, "tempdir", str(links))
    data_root = tmp_path / name / name / ".data"
    try:
        postgres = embedded_postgres.start(data_root, NAME)
        joined = embedded_postgres.start(data_root, NAME)
        assert works(postgres)
        assert works(joined)
        joined.release()
        postgres.release()
        assert not list(links.iterdir()), "the link to the socket was left behind"
    finally:
        stop_leftover(data_root)
        links.rmdir()


def test_link_to_the_socket_that_somebody_else_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = Path(tempfile.mkdtemp(prefix="gt-"))
    monkeypatch.setattr(tempfile, "tempdir", str(links))
    data_root = tmp_path / LONG / ".data"
    link = embedded_postgres_posix._socket_folder(data_root / "postgres", NAME)
    link.symlink_to(tmp_path)
    with pytest.raises(EmbeddedPostgresError, match="TMPDIR"):
        embedded_postgres.start(data_root, NAME)
    assert not (data_root / "postgres").exists()
    link.unlink(missing_ok=True)
    links.rmdir()


def test_a_temporary_folder_whose_path_is_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / LONG))
    data_root = tmp_path / LONG / ".data"
    try:
        postgres = embedded_postgres.start(data_root, NAME)
        assert works(postgres)
        postgres.release()
    finally:
        stop_leftover(data_root)
    assert not embedded_postgres_posix._socket_folder(data_root / "postgres", NAME).is_symlink()


def test_another_major_version_is_refused(data_root: Path) -> None:
    (data_root / "postgres").mkdir(parents=True)
    give_to_ordinary_user(data_root / "postgres")
    (data_root / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 17, but .* 18\."):
        embedded_postgres.start(data_root, NAME)


def test_something_else_in_the_folder_is_refused_and_kept(data_root: Path) -> None:
    (data_root / "postgres").mkdir(parents=True)
    give_to_ordinary_user(data_root / "postgres")
    (data_root / "postgres" / "letter.txt").write_text("Dear Sir")
    with pytest.raises(EmbeddedPostgresError, match="not a PostgreSQL data folder"):
        embedded_postgres.start(data_root, NAME)
    assert (data_root / "postgres" / "letter.txt").read_text() == "Dear Sir"


def test_cluster_of_a_user_who_cannot_serve_it(data_root: Path) -> None:
    (data_root / "postgres").mkdir(parents=True)
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder that is not ours")
    with pytest.raises(EmbeddedPostgresError, match="chown"):
        embedded_postgres.start(data_root, NAME)


def test_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        embedded_postgres.start(tmp_path / "file" / ".data", NAME)


def test_a_disk_without_room_for_a_new_cluster(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_postgres_cluster, "NEW_CLUSTER_MB", 10**9)
    with pytest.raises(
        OutOfSpaceError, match=r"needs 1000000000 MB, and the disk of .* has \d+ MB"
    ):
        embedded_postgres.start(data_root, NAME)
    assert not list(data_root.glob("postgres/"))


@pytest.mark.parametrize("name", ["", "Gopher", "1st", "a-b", "a; DROP"])
def test_a_name_that_would_need_quoting(name: str, data_root: Path) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        embedded_postgres.start(data_root, name)
    assert not data_root.exists()


def test_server_that_does_not_start_says_why(data_root: Path) -> None:
    embedded_postgres.start(data_root, NAME).release()
    with (data_root / "postgres" / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'many'\n")
    with pytest.raises(EmbeddedPostgresError, match=r"does not .*configuration file"):
        embedded_postgres.start(data_root, NAME)
    assert not (data_root / "postgres" / "postmaster.pid").exists()


def test_cluster_that_cannot_be_made_leaves_nothing(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_postgres_cluster, "CHARACTER_TYPES", ("xx_XX.UTF-8", "C"))
    monkeypatch.setattr(embedded_postgres_cluster, "SETTINGS", ("max_connections=none",))
    with pytest.raises(EmbeddedPostgresError, match=r"initdb failed: .*max_connections"):
        embedded_postgres.start(data_root, NAME)
    assert not list(data_root.glob("postgres/")) + list(data_root.glob("postgres.new-*"))


def test_folder_that_is_removed_while_it_is_used(data_root: Path) -> None:
    postgres = embedded_postgres.start(data_root, NAME)
    stop_leftover(data_root)
    with pytest.raises(OSError, match="No such file or directory"):
        postgres.revive()
    postgres.release()
    assert not data_root.exists()


@pytest.mark.parametrize(
    ("owner_of_project", "users", "expected"),
    [
        ("alice", ["root", "alice", "postgres", "nobody"], "alice"),
        ("root", ["root", "alice", "postgres", "nobody"], "postgres"),
        ("root", ["root", "alice", "nobody"], "nobody"),
        ("alice", ["root", "nobody"], "nobody"),  # a number without a name, as in a container
    ],
)
def test_user_for_whom_root_starts_the_server(
    owner_of_project: str,
    users: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = {"root": 0, "alice": 1, "postgres": 2, "nobody": 3}
    accounts = {
        key: SimpleNamespace(pw_uid=ids[name], pw_gid=ids[name])
        for name in users
        for key in (name, ids[name])
    }
    project = SimpleNamespace(st_uid=ids[owner_of_project])
    monkeypatch.setattr(embedded_postgres_account.pwd, "getpwnam", accounts.__getitem__)
    monkeypatch.setattr(embedded_postgres_account.pwd, "getpwuid", accounts.__getitem__)
    monkeypatch.setattr(embedded_postgres_account.os, "geteuid", lambda: 0)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    monkeypatch.setattr(Path, "stat", lambda _: project)
    account = embedded_postgres_account.choose_account(tmp_path / ".data" / "postgres")
    assert account == (ids[expected], ids[expected])


def test_data_used_from_another_container_are_left_alone(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its processes cannot be seen from here, but its lock can."""
    data_root.mkdir()
    monkeypatch.setattr(embedded_postgres_posix, "LAUNCH_TIMEOUT_SECONDS", 0.1)
    with FileLock(data_root / "postgres.server.lock") as lock:
        assert lock.try_lock_exclusive()
        monkeypatch.setattr(embedded_postgres_posix, "STOP_TIMEOUT_SECONDS", 0.1)
        with pytest.raises(EmbeddedPostgresError, match="another container"):
            embedded_postgres.start(data_root, NAME)
    assert not (data_root / "postgres").exists()


def test_wheel_that_is_not_installed(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_postgres_cluster, "find_spec", lambda _: None)
    with pytest.raises(ProgramsMissingError, match="is not installed"):
        embedded_postgres.start(data_root, NAME)


def test_programs_that_are_not_executable(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_postgres_cluster.shutil, "which", lambda *_, **__: None)
    with pytest.raises(ProgramsMissingError, match="no executable `postgres`"):
        embedded_postgres.start(data_root, NAME)


def test_environment_in_a_home_that_is_closed_to_the_server(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    package = embedded_postgres_cluster.find_programs().parents[1]
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.exists():
            shutil.copytree(part, closed / part.name, ignore=shutil.ignore_patterns("include"))
    programs = closed / "embedded_postgres" / "pginstall" / "bin"
    copies = Path(tempfile.mkdtemp(prefix="gophertalk-test-"))
    copies.chmod(0o755)
    monkeypatch.setattr(embedded_postgres_posix, "find_programs", lambda: programs)
    monkeypatch.setattr(embedded_postgres_account, "PROGRAM_COPIES", copies)
    try:
        postgres = embedded_postgres.start(data_root, NAME)
        assert works(postgres)
        assert len(list((copies / NAME).iterdir())) == 1
        postgres.release()
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(copies)


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_processes_as_ps_shows_them() -> None:
    """The way of macOS, which has no /proc."""
    living = subprocess.Popen(["sleep", "1000"])
    try:
        assert embedded_postgres_posix._command_line_from_ps(living.pid) == "sleep 1000"
        living.kill()
        os.waitid(os.P_PID, living.pid, os.WEXITED | os.WNOWAIT)
        assert embedded_postgres_posix._command_line_from_ps(living.pid) is None, "a zombie"
    finally:
        living.kill()
        living.wait()
    assert embedded_postgres_posix._command_line_from_ps(living.pid) is None


def give_to_ordinary_user(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
