"""Backups of the database, written and restored."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from config import redis
from config.schema import direct_connection
from config.settings import Settings
from config.startup import database_server, exit_on_startup_error, exit_with_error, settings_or_exit
from packages.postgres_backup import BackupError, check
from services import backup_service, order_cache
from utils.errors import DomainError


def backup(file: Path) -> None:
    with _explained() as settings:
        if not settings.db_host and not (settings.data_dir / "postgres").exists():
            exit_with_error(f"There is no database in {settings.data_dir}.")
        with database_server(settings) as target, direct_connection(target) as conn:
            backup_service.write(file, conn)
    print(f"Wrote {file}.")


def restore(file: Path) -> None:
    with _explained() as settings:
        check(file)  # before anything is touched
        with database_server(settings) as target, direct_connection(target) as conn:
            applied = backup_service.restore(file, conn)
        print(f"Restored {file}.", *(f"Applied {name}." for name in applied))
        _invalidate_cached_orders(settings)


@contextmanager
def _explained() -> Generator[Settings]:
    """The settings; whatever goes wrong is one sentence."""
    settings = settings_or_exit()
    if settings.db_pooler:
        exit_with_error(
            "This does not work through a pooler: unset DB_POOLER and name PostgreSQL in DB_HOST."
        )
    with exit_on_startup_error(settings):
        try:
            yield settings
        except (BackupError, DomainError) as error:
            exit_with_error(str(error))


def _invalidate_cached_orders(settings: Settings) -> None:
    """Redis may hold orders as they were before."""
    redis.open_redis(settings)
    try:
        if redis.client:
            order_cache.invalidate_all()
    except redis.RedisUnavailable:
        print(
            "Redis does not answer. If it comes back, orders may look as before for "
            f"{settings.redis_ttl_expire} seconds."
        )
    finally:
        redis.close_redis()
