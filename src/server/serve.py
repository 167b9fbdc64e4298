"""Runs the app under uvicorn, in one or more processes, until it is told to stop."""

import sys
from contextlib import ExitStack, closing, nullcontext, suppress
from pathlib import Path
from socket import socket
from threading import Event

from uvicorn import Config, Server
from uvicorn.supervisors import ChangeReload

from config import metrics
from config.schema import prepare_schema
from config.secrets import token_secrets
from config.settings import Settings
from config.startup import database_server, exit_on_startup_error
from config.startup_faults import DatabaseUnavailable, StartupError
from server import overview
from server.address import bound_socket
from server.drain import DRAIN_SECONDS
from server.http_protocol import BoundedHttp
from server.workers import Workers
from utils.background_thread import in_background

# Longer than nginx (60 s) and Caddy (120 s) keep idle connections, so that they close them: a
# server that closes one may do so just when a request arrives.
KEEP_ALIVE_SECONDS = 130
# For what the lifespan closes when the last request has ended.
CLOSING_SECONDS = 1
# What each process starts for itself, before the first request.
THREADS = 20
OPEN_FILES = 65_536
SRC = Path(__file__).resolve().parents[1]


def serve(settings: Settings) -> None:
    """Returns when the server has stopped; exits with 2 and one sentence when it cannot start.

    The database is started and migrated here, before any worker: a fault ends the program with one
    sentence instead of one from each worker, and a reload keeps the database running.
    """
    # uvicorn raises the signal that stopped it again; as KeyboardInterrupt it ends these blocks.
    with (
        suppress(KeyboardInterrupt),
        exit_on_startup_error(settings),
        closing(bound_socket(settings)) as listener,
    ):
        token_secrets()
        _try_threads()
        _allow_many_connections()
        with database_server(settings) as target:
            # While the database is away, or must be migrated by others, each worker goes on trying.
            with suppress(DatabaseUnavailable):
                prepare_schema(settings, target)
            overview.log_overview(settings)
            several = settings.workers > 1 and settings.metrics_enabled
            with metrics.multiprocess_folder() if several else nullcontext():
                _run(settings, listener)


def _try_threads() -> None:
    """Raises RuntimeError when too few can be started: here it is one sentence, in uvicorn a
    traceback."""
    with ExitStack() as threads:
        for _ in range(THREADS):
            threads.enter_context(in_background(Event.wait))


def _allow_many_connections() -> None:
    """A stream is a connection, and so an open file, of which most systems allow 1,024."""
    if sys.platform == "win32":
        return
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _run(settings: Settings, listener: socket) -> None:
    config = Config(
        "app:app",
        workers=settings.workers,
        reload=settings.reload,
        reload_dirs=[str(SRC)] if settings.reload else None,
        http=BoundedHttp,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(
            0, settings.shutdown_timeout - int(DRAIN_SECONDS) - CLOSING_SECONDS
        ),
    )
    server = Server(config)
    if settings.reload:
        ChangeReload(config, target=server.run, sockets=[listener]).run()
        return
    if settings.workers > 1:
        workers = Workers(config, listener)
        workers.run()
        started = not workers.failed
    else:
        server.run([listener])
        started = server.started
    if not started:
        raise StartupError("The log says why.")
