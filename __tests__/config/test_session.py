"""A session is what the statements need, whatever the environment and the database would have."""

import os

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from config import db, session
from config.settings import get_settings
from config.startup_faults import StartupError

# For each setting a value that would change what statements do, or how values are read.
HOSTILE = {
    "client_encoding": "WIN1251",
    "DateStyle": "German, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "Asia/Tokyo",
    "array_nulls": "off",
    "bytea_output": "escape",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "extra_float_digits": "-15",
    "idle_session_timeout": "60000",
    "lock_timeout": "1",
    "quote_all_identifiers": "on",
    "search_path": "pg_catalog",
    "standard_conforming_strings": "off",
    "transaction_timeout": "60000",
    "transform_null_equals": "on",
}
ENVIRONMENT = {
    "PGCLIENTENCODING": "WIN1251",
    "PGHOSTADDR": "192.0.2.1",
    "PGSERVICE": "nowhere",
    "PGOPTIONS": "-c statement_timeout=1",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGGSSENCMODE": "require",
    "PGCHANNELBINDING": "require",
    "PGSSLMODE": "verify-full",
    "PGTARGETSESSIONATTRS": "standby",
    "PGDATESTYLE": "German",
    "PGTZ": "Asia/Tokyo",
    "PGDATABASE": "nowhere",
    "PGCONNECT_TIMEOUT": "wrong",
}


def shown(conn, names):
    return {name: conn.execute(f"SHOW {name}").fetchone()[0] for name in names}


def target():
    known = conninfo_to_dict(db.pool.conninfo())
    return {name: known[name] for name in ("host", "port", "user", "dbname")}


@pytest.fixture
def hostile_database(database):
    """A database whose every new session begins with the wrong settings."""
    admin = psycopg.connect(**target(), autocommit=True)
    name = sql.Identifier(target()["dbname"])
    for setting, value in HOSTILE.items():
        admin.execute(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.Identifier(setting), value)
        )
    yield
    admin.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(name))
    admin.close()


def test_every_setting_that_is_pinned_has_a_hostile_value_here():
    assert set(session.PINNED) | {"client_encoding", "transaction_timeout"} == set(HOSTILE)


def test_defaults_of_the_database_change_no_session(hostile_database):
    with psycopg.connect(db.pool.conninfo(), autocommit=True) as conn:
        session.prepare_session(conn, pooler=False)

        assert shown(conn, session.PINNED) == session.PINNED
        assert shown(conn, ["client_encoding", "transaction_timeout"]) == {
            "client_encoding": "UTF8",
            "transaction_timeout": "0",
        }


def test_a_pooler_without_the_settings_is_refused_with_the_remedy(hostile_database):
    with (
        psycopg.connect(**target(), autocommit=True) as conn,
        pytest.raises(StartupError, match=r"ALTER ROLE gophertalk SET search_path = 'public';"),
    ):
        session.check_session(conn, "gophertalk")


def test_a_pooler_with_ordinary_settings_is_accepted(database):
    with psycopg.connect(**target(), autocommit=True) as conn:
        session.check_session(conn, "gophertalk")
        session.prepare_session(conn, pooler=True)

        kept = {name: session.PINNED[name] for name in session.KEPT_BY_POOLER}
        assert shown(conn, session.KEPT_BY_POOLER) == kept


def test_with_another_server_the_environment_may_protect_the_connection(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    session.ignore_environment(get_settings().model_copy(update={"db_host": "db.example.org"}))

    left = {name for name in os.environ if name.startswith("PG")}
    assert left == {"PGREQUIREAUTH", "PGGSSENCMODE", "PGCHANNELBINDING", "PGSSLMODE"}


def test_a_server_in_a_hostile_environment_keeps_every_letter(start_server):
    server = start_server(**ENVIRONMENT).wait_until_ready()
    member = {"user_name": "gopher_anna", "password": "gopher1!", "password_confirm": "gopher1!"}
    names = {"first_name": "Анна", "last_name": "Петрова"}
    with httpx.Client(base_url=server.url) as client:
        pair = client.post("/api/auth/register", json={**member, **names}).json()
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        for text in ("😀", "Привет", "ß"):
            answer = client.post("/api/posts", json={"text": text}, headers=headers)
            assert (answer.status_code, answer.json()["text"]) == (201, text)
