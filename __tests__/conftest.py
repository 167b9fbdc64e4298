"""What all tests stand on: settings of their own, and a real PostgreSQL that the suite starts."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

    # A TRUNCATE would do it in one line, and take a hundred times as long.
    for table in ("likes", "views", "posts", "users"):
        execute(f"DELETE FROM {table}")
    execute("SELECT setval('users_id_seq', 1, false), setval('posts_id_seq', 1, false)")


@pytest.fixture
def client(db: None) -> Any:
    """A client of the app on an empty database. It answers a fault with the 500 a client sees."""
    from fastapi.testclient import TestClient

    from app import app

    return TestClient(app, raise_server_exceptions=False)


PASSWORD = "gopher1!"


@dataclass(frozen=True)
class Member:
    """A registered user, as a client knows one."""

    id: int
    user_name: str
    password: str
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


@pytest.fixture
def register(db: None) -> Callable[..., Member]:
    """Registers a user as `POST /api/auth/register` does: `register("gopher_carl", email=...)`."""
    from services import auth_service

    def register(user_name: str, **fields: str) -> Member:
        names = {"first_name": "Name", "last_name": "Surname"}
        new = {"user_name": user_name, "password": PASSWORD, **names, **fields}
        user = auth_service.sign_up(new)
        return Member(
            user["id"], user_name, new["password"], **auth_service.generate_token_pair(user["id"])
        )

    return register


@pytest.fixture
def anna(register: Callable[..., Member]) -> Member:
    return register("gopher_anna", first_name="Anna", last_name="Petrova")


@pytest.fixture
def boris(register: Callable[..., Member]) -> Member:
    return register("gopher_boris", first_name="Борис", last_name="Иванов")
