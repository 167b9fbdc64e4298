"""The database, opened at start and closed at stop: the server, its schema, the pool."""

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
from config.startup_faults import StartupError, embedded_server_fault
from packages import embedded_postgres
from utils import later
from utils.background_thread import in_background
from utils.errors import Unavailable
from utils.passwords import decoy_hash

log = logging.getLogger("gophertalk.startup")

# The role and the database of our own PostgreSQL. Those of existing data folders have it: keep it.
EMBEDDED_NAME = "gophertalk"
WATCH_SECONDS = 0.5


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
            with schema_prepared(settings, target):
                yield
        finally:
            later.finish(seconds=5.0)
            redis.close_redis()
            db.close_pool()
