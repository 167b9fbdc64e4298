"""`python3 src/app.py`, as everybody starts it; `server/test_serve.py` has the rest of its life."""

import signal
from pathlib import Path

import httpx
from live_server import LiveServer

from config.settings import get_settings


def test_it_starts_serves_and_stops(database):
    """On the PostgreSQL of the other tests, which it joins and leaves running."""
    server = LiveServer(Path(get_settings().data_dir))
    try:
        server.wait_until_ready()
        assert httpx.get(f"{server.url}/api/posts").status_code == 401
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    finally:
        server.stop()
        server.log.unlink()
