"""What all tests stand on: settings of their own, and a real PostgreSQL that the suite starts."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings, get_settings

# The developer's own environment and .env must not leak into the tests: they empty tables.
Settings.model_config["env_file"] = None
for name in Settings.model_fields:
    os.environ.pop(name.upper(), None)
DATA_DIR = Path(tempfile.mkdtemp(prefix="gophertalk-tests-"))
os.environ |= {"DATA_DIR": str(DATA_DIR), "BCRYPT_ROUNDS": "4", "LOGLEVEL": "WARNING"}


def pytest_unconfigure() -> None:
    shutil.rmtree(DATA_DIR, ignore_errors=True)


@pytest.fixture(scope="session")
def database() -> Iterator[None]:
    """The embedded PostgreSQL, migrated, with the application's pool open on it."""
    from config import startup

    with startup.running(get_settings()):
        yield


@pytest.fixture
def db(database: None) -> None:
    """An empty database: what a migration put in stays, what a test wrote is gone."""
    from utils.sql import execute

    execute("TRUNCATE users, posts RESTART IDENTITY CASCADE")


@pytest.fixture
def client(db: None) -> Any:
    """A client of the app on an empty database. It answers a fault with the 500 a client sees."""
    from fastapi.testclient import TestClient

    from app import app

    return TestClient(app, raise_server_exceptions=False)
