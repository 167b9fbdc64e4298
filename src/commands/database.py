"""The migrations, run by command."""

from config.schema import migrate_now
from config.startup import database_server, exit_on_startup_error, settings_or_exit


def migrate() -> None:
    settings = settings_or_exit()
    with exit_on_startup_error(settings), database_server(settings) as target:
        migrate_now(target)
    print("The database is up to date.")
