"""What all tests stand on: settings of their own, and a real PostgreSQL that the suite starts."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import bcrypt
import pytest
from empty_database import empty_database, snapshot_database
from live_server import LiveServer

from config.settings import Settings, get_settings

# The developer's own environment and .env must not leak into the tests: they empty tables.
Settings.model_config["env_file"] = None
for name in Settings.model_fields:
    os.environ.pop(name.upper(), None)
SLOW_FIXTURES = {"start_server", "live_server", "own_postgres", "primary"}
DATA_DIR = Path(tempfile.mkdtemp(prefix="gophertalk-tests-"))
os.environ |= {"DATA_DIR": str(DATA_DIR), "BCRYPT_ROUNDS": "4", "LOGLEVEL": "WARNING"}
# Different tests have users of the same ids and addresses, by which these limits are counted.
for name in ("EXPORT", "MAIL_ADDRESS", "MAIL_ACCOUNT", "MAIL_CLIENT"):
    os.environ[f"RATE_LIMIT_{name}"] = "off"


def pytest_unconfigure() -> None:
    shutil.rmtree(DATA_DIR, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that starts a server of its own is slow, without a mark."""
    for item in items:
        if {"start_server", "live_server", "own_postgres", "primary"} & set(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def no_request_is_served() -> None:
    """A test that works as a request does leaves its budget behind in this thread's context."""
    from repositories import replicas
    from services import access_rules, open_streams
    from utils import context, process_state, request_budget

    ids = (context.request_id, context.traceparent, context.idempotency_key, context.member_id)
    for left_behind in (*ids, request_budget._current, access_rules._caller):
        left_behind.set(None)
    # And one that stops a server in this process leaves behind that it stops.
    process_state.stop_has_begun = open_streams.is_stopping = False
    replicas._has_written.set(False)


def turn_off_fsync() -> None:
    """Commits need not wait for the disk: nobody keeps the data of these tests."""
    folder = DATA_DIR / "postgres"
    with (folder / "postgresql.conf").open("a") as file:
        file.write("fsync = off\n")
    postmaster = int((folder / "postmaster.pid").read_text().split()[0])
    if os.name == "posix":
        os.kill(postmaster, signal.SIGHUP)


@pytest.fixture(scope="session")
def database() -> Iterator[None]:
    """The embedded PostgreSQL, migrated, with the application's pool open on it."""
    from config import startup

    with startup.open_resources(get_settings()):
        turn_off_fsync()
        snapshot_database()
        yield


@pytest.fixture
def db(database: None) -> None:
    """An empty database: what a migration put in stays, what a test wrote is gone."""
    empty_database()


@pytest.fixture
def client(db: None) -> Any:
    """A client of the app on an empty database. It answers a fault with the 500 a client sees."""
    from fastapi.testclient import TestClient

    from app import app

    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """A function that starts servers; they share the data folder unless told otherwise."""
    servers: list[LiveServer] = []

    def start(data_dir: Path | None = None, **settings: str) -> LiveServer:
        servers.append(LiveServer(data_dir or tmp_path / "data", **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def live_settings() -> dict[str, str]:
    """For a module that wants other ones: what its `live_server` is started with."""
    return {}


@pytest.fixture(scope="module")
def live_server(
    tmp_path_factory: pytest.TempPathFactory, live_settings: dict[str, str]
) -> Iterator[LiveServer]:
    """One server for all tests of a module, with data of its own."""
    server = LiveServer(tmp_path_factory.mktemp("live") / "data", **live_settings)
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


@pytest.fixture
def at_once() -> Callable[..., list[Any]]:
    """Call something with each argument, all at the same moment; returns the answers in order."""

    def at_once(call: Callable[[Any], Any], arguments: Sequence[Any]) -> list[Any]:
        start = Barrier(len(arguments))

        def run(argument: Any) -> Any:
            start.wait(60)
            return call(argument)

        with ThreadPoolExecutor(len(arguments)) as threads:
            return list(threads.map(run, arguments))

    return at_once


PASSWORD = "gopher1!"
PASSWORD_HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


@dataclass(frozen=True)
class Member:
    """A user who is logged in."""

    id: int
    user_name: str
    password: str
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


@pytest.fixture(scope="session")
def new_person(database: None) -> Callable[..., Member]:
    """`person` for tests that share one database."""
    from repositories import user_repository
    from repositories.sql import transaction
    from services import auth_service, role_service
    from services.access_rules import SYSTEM, acting_as

    def make(user_name: str, roles: Sequence[str] = (), **columns: Any) -> Member:
        names = {"user_name": user_name, "first_name": "Anna", "last_name": "Petrova"}
        user: Any = {**names, "password_hash": PASSWORD_HASH, **columns}
        with acting_as(SYSTEM), transaction() as conn:
            user_id = user_repository.create_user(user, conn)["id"]
            role_service.assign(user_id, roles, conn)
        return Member(user_id, user_name, PASSWORD, **auth_service.generate_token_pair(user_id))

    return make


@pytest.fixture
def person(db: None, new_person: Callable[..., Member]) -> Callable[..., Member]:
    """Makes users with the password `gopher1!`: `person("gopher_anna", ["moderator"], status=0)`"""
    return new_person


@pytest.fixture(scope="session")
def new_role(database: None) -> Callable[..., str]:
    """`role` for tests that share one database."""
    from repositories import permission_repository, role_repository
    from repositories.sql import transaction

    def make(name: str, *permissions: str) -> str:
        with transaction() as conn:
            role_id = role_repository.create_role(name, "", conn)["id"]
            found = permission_repository.find_permissions(list(permissions), conn)
            assert len(found) == len(permissions)
            role_repository.set_role_permissions(role_id, [each["id"] for each in found], conn)
        return role_id

    return make


@pytest.fixture
def role(db: None, new_role: Callable[..., str]) -> Callable[..., str]:
    """Makes roles: `role("warden", "post:delete_any")` gives the id."""
    return new_role


@pytest.fixture
def mails(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[tuple[str, str, str]]]:
    """Tells what mail has been sent so far, as (to, subject, text); none leaves the machine."""
    from config import mail
    from utils import later

    sent: list[tuple[str, str, str]] = []
    monkeypatch.setattr(mail, "send", lambda *args: sent.append(args))

    def read() -> list[tuple[str, str, str]]:
        later.finish(10)
        return sent

    return read


@pytest.fixture
def refused() -> Callable[..., None]:
    """Asserts that an answer is a refusal in the shape that clients know, and nothing else."""

    def check(answer: Any, status: int, sentence: str) -> None:
        body = {"detail": sentence, "error": sentence}
        assert (answer.status_code, answer.json()) == (status, body)

    return check


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
