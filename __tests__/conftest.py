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
    from utils.sql import execute

    with startup.running(get_settings()):
        execute("CREATE TABLE default_role_permissions AS TABLE role_permissions")
        yield


@pytest.fixture
def db(database: None) -> None:
    """An empty database: what a migration put in stays, what a test wrote is gone."""
    from services import session_service
    from utils.sql import execute

    execute("TRUNCATE users, posts, tokens, audit_log RESTART IDENTITY CASCADE")
    execute("DELETE FROM roles WHERE NOT is_builtin")
    execute("DELETE FROM permissions WHERE NOT is_builtin")
    execute("DELETE FROM role_permissions")
    execute("INSERT INTO role_permissions TABLE default_role_permissions")
    session_service.forget_everybody()


@pytest.fixture
def client(db: None) -> Any:
    """A client of the app on an empty database. It answers a fault with the 500 a client sees."""
    from fastapi.testclient import TestClient

    from app import app

    return TestClient(app, raise_server_exceptions=False)
