"""Backups of the whole database, written and restored; `conn` must be no pool's."""

from os import fsdecode
from pathlib import Path

from migrations import runner
from packages import postgres_backup
from repositories import backup_repository
from repositories.sql import Conn
from utils.errors import Conflict, NotFound

# How often to wait, five seconds each time, for the locks of other sessions. Requests hold theirs
# for less, but may be in a deadlock with us.
TRIES = 6


def write(file: Path, conn: Conn) -> None:
    """Raises NotFound when the database is empty, and BackupError."""
    if not backup_repository.has_tables(conn):
        raise NotFound("The database is empty: there is nothing to back up.")
    environment = {
        fsdecode(option.envvar): fsdecode(option.val)
        for option in conn.pgconn.info
        if option.envvar and option.val
    }
    source = postgres_backup.Source(environment, _version(conn), bool(conn.pgconn.ssl_in_use))
    postgres_backup.dump(source, backup_repository.SCHEMA, file)


def restore(file: Path, conn: Conn) -> list[str]:
    """Replace everything by what the file holds, and apply the migrations that are newer.

    All or nothing; returns the names of these migrations. Raises BackupError, NotFound when the
    file holds something else, Conflict when other sessions lock the tables, and MigrationError.
    """
    with conn.transaction():
        runner.lock(conn)
        backup_repository.limit_lock_waits(conn)
        if not any(backup_repository.drop_all(conn) for _ in range(TRIES)):
            raise Conflict("Other sessions have locked the tables: end them, and try again.")
        runner.create_extensions(conn)
        for sql, rows in postgres_backup.read(file, backup_repository.SCHEMA, _version(conn)):
            if rows is None:
                backup_repository.run(sql, conn)
            else:
                backup_repository.fill_table(sql, rows, conn)
        if not backup_repository.has_tables(conn):
            raise NotFound(f"{file} is no backup of GopherTalk.")
        return runner.migrate_restored(conn)


def _version(conn: Conn) -> int:
    """The server's major one."""
    return conn.info.server_version // 10000
