"""Runs the app under uvicorn, with one or more workers, until it is told to stop."""

import logging
import signal
from pathlib import Path

import uvicorn

from config.log import configure_logging
from config.settings import Settings
from config.startup import StartupError, database_server, exit_with, migrate_now

SRC = Path(__file__).resolve().parent

log = logging.getLogger("gophertalk.serve")


def serve(settings: Settings) -> None:
    """Returns when the server has stopped; exits with 2 and one sentence when it cannot start.

    The database is started and migrated here first, before any worker: a fault ends the program
    with a sentence instead of a crowd of dying workers, and a reload keeps the database running.
    """
    configure_logging(settings)
    # uvicorn hands the signal that stopped it on; as KeyboardInterrupt it unwinds the stack here.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with database_server(settings) as target:
            if settings.migrate_on_start:
                migrate_now(target)
            log.info("database: %s", settings.db_host or f"our own, in {settings.data_dir}")
            log.info("documentation: http://%s:%s/docs", settings.host, settings.port)
            uvicorn.run(
                "app:app",
                host=settings.host,
                port=settings.port,
                workers=settings.workers,
                reload=settings.reload,
                reload_dirs=[str(SRC)] if settings.reload else None,
                app_dir=str(SRC),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=settings.shutdown_timeout,
            )
    except StartupError as error:
        exit_with(str(error))
    except KeyboardInterrupt:
        pass
