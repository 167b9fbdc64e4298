"""The tables, brought up to date by hand."""

from config.schema import migrate_now
from config.startup import database_server, settings_or_exit, started


def migrate() -> None:
    settings = settings_or_exit()
    with started(settings), database_server(settings) as target:
        migrate_now(target)
    print("The database is up to date.")
