"""What a program opens at its start and closes at its end, and how it ends when it cannot start."""

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import NoReturn

from config import db, redis
from config.log import configure_logging
from config.schema import Target, check_database, schema_prepared
from config.secrets import token_secrets
from config.session import ignore_environment, pinned
from config.settings import Settings, SettingsError, get_settings
from config.startup_faults import StartupError, embedded_server_fault, machine_fault
from packages import embedded_postgres
from utils import later, stop_signals
from utils.background_thread import in_background
from utils.errors import Unavailable
from utils.passwords import dummy_hash

log = logging.getLogger("gophertalk.startup")

# The role and the database of our own PostgreSQL. Those of existing data folders have it: keep it.
EMBEDDED_NAME = "gophertalk"
WATCH_INTERVAL_SECONDS = 0.5
# For what was promised to be done later, such as mail.
FINISH_SECONDS = 5.0


def exit_with_error(reason: str) -> NoReturn:
    """End the program because it cannot start: one line, exit code 2."""
    print(f"GopherTalk cannot start. {reason}", file=sys.stderr)
    sys.exit(2)


def settings_or_exit() -> Settings:
    try:
        return get_settings()
    except SettingsError as error:
        exit_with_error(str(error))


@contextmanager
def exit_on_startup_error(settings: Settings) -> Generator[None]:
    """The outermost block of every program. It configures the log; a fault ends the program with
    one sentence, and a signal with what the blocks inside do at their end."""
    stop_signals.interrupt_on_signals()
    try:
        configure_logging(settings)
        yield
    except (StartupError, SettingsError, Unavailable) as error:
        exit_with_error(str(error))
    except (OSError, RuntimeError, MemoryError) as error:
        if fault := machine_fault(error):
            exit_with_error(fault)
        raise


@contextmanager
def database_server(settings: Settings) -> Generator[Target]:
    """The server that DB_HOST names, or our own, which the last process that uses it stops.

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
        with in_background(partial(_revive_when_dead, server)):
            yield lambda: pinned(server.conninfo, pooler=False)
    finally:
        server.release()


def _revive_when_dead(server: embedded_postgres.EmbeddedPostgres, stop: Event) -> None:
    """Only we restart our own PostgreSQL when it died."""
    while not stop.wait(WATCH_INTERVAL_SECONDS):
        try:
            server.revive()
        except (embedded_postgres.EmbeddedPostgresError, OSError):
            log.exception("the embedded PostgreSQL is down and does not start")


@contextmanager
def open_resources(settings: Settings, require_database: bool = False) -> Generator[None]:
    """Everything that requests need: the database server, its schema, the pool, Redis, the secrets.

    Raises StartupError. With `require_database` a database that may be there soon is a fault too.
    """
    token_secrets()
    dummy_hash(settings.bcrypt_rounds)
    with database_server(settings) as target:
        if require_database:
            check_database(target)
        db.open_pool(settings, target)
        redis.open_redis(settings)
        try:
            with schema_prepared(settings, target):
                yield
        finally:
            later.finish(FINISH_SECONDS)
            redis.close_redis()
            db.close_pool()
