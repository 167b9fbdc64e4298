"""Brings the database up to date and ends: `python3 src/migrate.py`."""

from config.log import configure_logging
from config.startup import StartupError, database_server, exit_with, migrate_now, settings_or_exit


def main() -> None:
    settings = settings_or_exit()
    configure_logging(settings)
    try:
        with database_server(settings) as target:
            if not migrate_now(target):
                exit_with(f"PostgreSQL at {settings.db_host}:{settings.db_port} does not answer.")
    except StartupError as error:
        exit_with(str(error))
    print("The database is up to date.")


if __name__ == "__main__":
    main()
