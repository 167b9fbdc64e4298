"""The tables, brought up to date or checked at start; requests are refused until they fit."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any

import psycopg
from psycopg.errors import DiskFull, LockNotAvailable
from psycopg.rows import DictRow, dict_row

from config.pool import BoundedPool
from config.session import check_session, pinned, prepare_session
from config.settings import Settings
from config.startup_faults import (
    DatabaseUnavailable,
    StartupError,
    connection_fault,
    migration_fault,
)
from migrations.files import MigrationError
from migrations.runner import TablesOutdated, check, migrate
from utils.background_thread import in_background

# Gives psycopg's keyword arguments for the server; asked at every connect.
Target = Callable[[], dict[str, Any]]

CONNECT_TIMEOUT_SECONDS = 5
WATCH_SECONDS = 0.5

log = logging.getLogger("gophertalk.startup")


def prepare_schema(settings: Settings, target: Target) -> None:
    """Migrate, or with MIGRATE_ON_START=false see that the tables are those that this code knows.

    Raises DatabaseUnavailable where waiting may help: the server cannot be reached, or the
    tables must be migrated by a command; else StartupError.
    """
    (migrate_now if settings.migrate_on_start else check_schema)(target)


def migrate_now(target: Target) -> None:
    """Raises DatabaseUnavailable when the server cannot be reached yet, else StartupError."""
    check_database(target)
    with _explained(target) as conninfo:
        migrate(conninfo)


def check_schema(target: Target) -> None:
    """Raises DatabaseUnavailable also while the tables are older than this code."""
    check_database(target)
    with _explained(target) as conninfo:
        check(conninfo)


def check_database(target: Target) -> None:
    """Raises DatabaseUnavailable when the server cannot be reached yet, else StartupError."""
    conninfo = target()
    try:
        with psycopg.connect(**conninfo, connect_timeout=CONNECT_TIMEOUT_SECONDS) as conn:
            check_session(conn, conninfo["user"])
    except psycopg.OperationalError as error:
        raise connection_fault(error, conninfo) from error


@contextmanager
def direct_connection(target: Target) -> Generator[psycopg.Connection[DictRow]]:
    """A connection of its own, without time limits; not through a pooler.

    Raises DatabaseUnavailable when the server cannot be reached, else StartupError.
    """
    limits_ms = {"statement_timeout": 0, "idle_in_transaction_session_timeout": 0}
    with (
        _explained(lambda: pinned(target(), pooler=False, **limits_ms)) as conninfo,
        psycopg.Connection[DictRow].connect(
            **conninfo,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            autocommit=True,
            row_factory=dict_row,
        ) as conn,
    ):
        prepare_session(conn, pooler=False)
        yield conn


@contextmanager
def _explained(target: Target) -> Generator[dict[str, Any]]:
    """Faults of the schema, as StartupError or DatabaseUnavailable."""
    conninfo = target()
    try:
        yield conninfo
    except MigrationError as error:
        raise StartupError(str(error)) from error
    except TablesOutdated as error:
        raise DatabaseUnavailable(f"{error}.") from error
    except psycopg.Error as error:
        is_about_tables = isinstance(error, DiskFull | LockNotAvailable)
        if isinstance(error, psycopg.OperationalError) and not is_about_tables:
            raise connection_fault(error, conninfo) from error
        raise migration_fault(error, conninfo) from error


@contextmanager
def schema_prepared(settings: Settings, target: Target) -> Generator[None]:
    """Now or, while that is not possible, as soon as it is; requests are refused until then."""
    try:
        prepare_schema(settings, target)
    except DatabaseUnavailable as fault:
        log.warning("%s GopherTalk starts without it and goes on trying", fault)
        BoundedPool.awaits_migration = True
        try:
            with in_background(partial(_prepare_later, settings, target)):
                yield
        finally:
            BoundedPool.awaits_migration = False
    else:
        yield


def _prepare_later(settings: Settings, target: Target, stop: Event) -> None:
    """What an operator can mend is logged once, and tried again all the same."""
    logged = ""
    while not stop.wait(WATCH_SECONDS):
        try:
            prepare_schema(settings, target)
        except DatabaseUnavailable:
            continue
        except StartupError as error:
            if logged != (logged := str(error)):
                log.critical("%s", error)
        else:
            BoundedPool.awaits_migration = False
            return
