"""The database, opened at start and closed at stop: the server, its schema, the pool."""

import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from functools import partial
from threading import Event, Thread
from typing import Any, NoReturn

import psycopg
from psycopg.errors import DiskFull

from config import db, redis
from config.log import configure_logging
from config.secrets import token_secrets
from config.session import check_session, ignore_environment, pinned
from config.settings import Settings, SettingsError, get_settings
from config.startup_faults import (
    DatabaseUnavailable,
    StartupError,
    connection_fault,
    embedded_server_fault,
    migration_fault,
)
from migrations.runner import MigrationError, migrate
from packages import embedded_postgres
from utils import later
from utils.errors import Unavailable
from utils.passwords import decoy_hash

Target = Callable[[], dict[str, Any]]

log = logging.getLogger("gophertalk.startup")

# The role and the database of our own PostgreSQL. Those of existing data folders have it: keep it.
EMBEDDED_NAME = "gophertalk"
WATCH_SECONDS = 0.5
STOP_SECONDS = 5.0


def exit_with(sentence: str) -> NoReturn:
    """End the program because it cannot start: one line, exit code 2."""
    print(f"GopherTalk cannot start. {sentence}", file=sys.stderr)
    sys.exit(2)


def settings_or_exit() -> Settings:
    try:
        return get_settings()
    except SettingsError as error:
        exit_with(str(error))


@contextmanager
def started(settings: Settings) -> Generator[None]:
    """The frame of every program: it logs, and a fault at start ends it with one sentence."""
    try:
        configure_logging(settings)
        yield
    except (StartupError, SettingsError, Unavailable) as error:
        exit_with(str(error))


@contextmanager
def database_server(settings: Settings) -> Generator[Target]:
    """The server that DB_HOST names, or our own, which its last user stops again.

    Raises StartupError.
    """
    ignore_environment(settings)
    if settings.db_host:
        yield lambda: pinned(db.server_conninfo(settings), bool(settings.db_pooler))
        return
    try:
        server = embedded_postgres.start(settings.data_dir, EMBEDDED_NAME)
    except (embedded_postgres.EmbeddedPostgresError, OSError) as error:
        raise embedded_server_fault(error, settings.data_dir) from error
    try:
        with in_background(partial(_keep_alive, server)):
            yield lambda: pinned(server.conninfo, pooler=False)
    finally:
        server.release()


def _keep_alive(server: embedded_postgres.EmbeddedPostgres, stop: Event) -> None:
    """Nobody else would restart our own PostgreSQL if it died."""
    while not stop.wait(WATCH_SECONDS):
        try:
            server.revive()
        except (embedded_postgres.EmbeddedPostgresError, OSError):
            log.exception("the embedded PostgreSQL is down and does not start")


def migrate_now(target: Target) -> None:
    """Raises DatabaseUnavailable when the server cannot be reached yet, else StartupError."""
    check_database(target)
    conninfo = target()
    try:
        migrate(conninfo)
    except MigrationError as error:
        raise StartupError(str(error)) from error
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError) and not isinstance(error, DiskFull):
            raise connection_fault(error, conninfo) from error
        raise migration_fault(error, conninfo) from error


def check_database(target: Target) -> None:
    """Raises DatabaseUnavailable when the server cannot be reached yet, else StartupError."""
    conninfo = target()
    try:
        with psycopg.connect(**conninfo, connect_timeout=5) as conn:
            check_session(conn, conninfo["user"])
    except psycopg.OperationalError as error:
        raise connection_fault(error, conninfo) from error


@contextmanager
def _migrated(target: Target) -> Generator[None]:
    """Migrate, now or, while the server is away, as soon as it is there."""
    try:
        migrate_now(target)
    except DatabaseUnavailable as fault:
        log.warning("%s GopherTalk starts without it and goes on trying", fault)
        db.BoundedPool.awaits_migration = True
        try:
            with in_background(partial(_migrate_later, target)):
                yield
        finally:
            db.BoundedPool.awaits_migration = False
    else:
        yield


def _migrate_later(target: Target, stop: Event) -> None:
    """What an operator can mend is said once, and tried again all the same."""
    said = ""
    while not stop.wait(WATCH_SECONDS):
        try:
            migrate_now(target)
        except DatabaseUnavailable:
            continue
        except StartupError as error:
            if said != (said := str(error)):
                log.critical("%s", error)
        else:
            db.BoundedPool.awaits_migration = False
            return


@contextmanager
def running(settings: Settings, database_needed: bool = False) -> Generator[None]:
    """Everything that requests need: the server, its schema, the pool, the secrets.

    Raises StartupError; also when the database is only away, if it is needed at once.
    """
    token_secrets()
    decoy_hash(settings.bcrypt_rounds)
    with database_server(settings) as target:
        if database_needed:
            check_database(target)
        db.open_pool(settings, target)
        redis.open_redis(settings)
        try:
            with _migrated(target) if settings.migrate_on_start else nullcontext():
                yield
        finally:
            later.finish(seconds=5.0)
            redis.close_redis()
            db.close_pool()


@contextmanager
def in_background(work: Callable[[Event], None]) -> Generator[None]:
    """Run `work` in a thread of its own; it ends soon after its event is set.

    What hangs longer, on a server that does not answer, ends with the process.
    """
    stop = Event()
    thread = Thread(target=work, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)  # a daemon: what hangs does not hold up the end
