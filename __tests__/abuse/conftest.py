"""A server of two workers on the tests' own database, as an attacker meets it: over TCP."""

import os
from pathlib import Path

import httpx
import pytest
from live_server import LiveServer


@pytest.fixture(scope="module")
def server(database):
    """It shares the secrets and the PostgreSQL of this process: `anna` is known to it, too."""
    server = LiveServer(
        Path(os.environ["DATA_DIR"]),
        WORKERS="2",
        RATE_LIMITS_ENABLED="false",
        # Many threads on a busy machine take long; here it is the answers that count.
        POSTGRES_TRANSACTION_TIMEOUT="30",
    )
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()
        server.log.unlink()


@pytest.fixture
def web(db, server):
    """An HTTP client of that server, on an empty database. Each request has a connection of its
    own, and so any of the workers."""
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=server.url, timeout=60, limits=limits) as client:
        yield client
