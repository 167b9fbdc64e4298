"""What the faults are done to, what is promised of each, and a table of what was measured.

The tests here know the app as its clients and its operator do: by HTTP, signals and SQL.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from alerts import Scrapes
from books import assert_balanced
from cluster import Database, OwnPostgres, Standby
from live_server import NO_LIMITS, LiveServer
from load import Answer, Load, back_after, tally
from own_redis import OwnRedis
from tcp_proxy import TcpProxy, proxy_to

# DESIGN.md section 7 says two seconds for both. The machine that runs the tests has other work too.
SLACK = 1.0
ANSWER_SECONDS = 2.0 + SLACK
RECOVERY_SECONDS = 2.0 + SLACK


class Figures(NamedTuple):
    """What was measured of one fault; seconds, None where it says nothing."""

    fault: str
    clients_saw: str
    worst: float | None = None
    recovery: float | None = None
    losses: int = 0


Postgres = TypeVar("Postgres", bound=OwnPostgres)
FIGURES = pytest.StashKey[list[Figures]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.stash.get(FIGURES, []):
        return
    terminalreporter.section("faults: what clients saw (seconds)")
    terminalreporter.line(f"{'fault':<44} {'worst':>6} {'back in':>7} {'lost':>4}  clients saw")
    for row in config.stash[FIGURES]:
        worst, recovery = (
            "" if value is None else f"{value:.2f}" for value in (row.worst, row.recovery)
        )
        terminalreporter.line(
            f"{row.fault:<44} {worst:>6} {recovery:>7} {row.losses:>4}  {row.clients_saw}"
        )


@pytest.fixture(scope="session")
def note(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Puts a row into the table at the end of the run; takes what `Figures` takes."""
    figures = request.config.stash.setdefault(FIGURES, [])
    return lambda *values, **named: figures.append(Figures(*values, **named))


@pytest.fixture
def scrapes() -> Callable[[LiveServer], Scrapes]:
    """What a Prometheus sees of a server: `seen = scrapes(server)`, then `seen.scrape()`."""
    return lambda server: Scrapes(server.metrics)


def running(postgres: Postgres) -> Iterator[Postgres]:
    """Started for a test, and stopped afterwards whatever the test did to it."""
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.thaw()
        postgres.stop()


@pytest.fixture(scope="session")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPostgres]:
    yield from running(OwnPostgres(tmp_path_factory.mktemp("cluster") / "postgres"))


@pytest.fixture
def postgres(own_postgres: OwnPostgres) -> Iterator[OwnPostgres]:
    """The suite's own, as it should be; whatever a test does to it, the next finds it so."""
    yield own_postgres
    own_postgres.thaw()
    if not own_postgres.is_running():
        own_postgres.start()


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[OwnPostgres]:
    """A PostgreSQL for one test, which may do to it what it likes."""
    yield from running(OwnPostgres(tmp_path / "primary"))


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[OwnRedis]:
    """For the tests that `needs_redis_server` lets run."""
    redis = OwnRedis(tmp_path)
    redis.start()
    yield redis
    redis.thaw()
    redis.kill()


@pytest.fixture
def standby(primary: OwnPostgres, tmp_path: Path) -> Iterator[Standby]:
    """One that follows `primary`."""
    yield from running(Standby(tmp_path / "standby", primary))


@pytest.fixture(scope="session")
def own_server(
    own_postgres: OwnPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    data_dir = tmp_path_factory.mktemp("server") / "data"
    server = LiveServer(data_dir, **own_postgres.main.settings(), **NO_LIMITS)
    yield server
    server.stop()


@pytest.fixture
def server(own_server: LiveServer, postgres: OwnPostgres) -> LiveServer:
    """The app, connected straight to the suite's own PostgreSQL."""
    return own_server.wait_until_ready()


@pytest.fixture(scope="session")
def own_proxy(own_postgres: OwnPostgres) -> Iterator[TcpProxy]:
    with proxy_to("127.0.0.1", own_postgres.main.port) as proxy:
        yield proxy


@pytest.fixture
def proxy(own_proxy: TcpProxy) -> Iterator[TcpProxy]:
    """Stands between `proxied` and PostgreSQL."""
    yield own_proxy
    own_proxy.heal()


@pytest.fixture(scope="session")
def own_proxied(
    own_postgres: OwnPostgres, own_proxy: TcpProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    data_dir = tmp_path_factory.mktemp("proxied") / "data"
    server = LiveServer(data_dir, **own_postgres.main.settings(own_proxy.port), **NO_LIMITS)
    yield server
    server.stop()


@pytest.fixture
def proxied(own_proxied: LiveServer, proxy: TcpProxy, postgres: OwnPostgres) -> LiveServer:
    """The app, connected to the same PostgreSQL by way of `proxy`."""
    return own_proxied.wait_until_ready()


@pytest.fixture
def new_load() -> Iterator[Callable[..., Load]]:
    """Clients for a server and its database: `new_load(server, postgres.main, people=8)`."""
    loads: list[Load] = []

    def make(server: LiveServer, database: Database, people: int = 8) -> Load:
        loads.append(Load(server.url, database, people))
        return loads[-1]

    yield make
    for load in loads:
        load.close()


def refused_well(answer: Answer) -> bool:
    """As section 1 of the design has it: 503, but the health-check has a 500 of its own."""
    return answer.status == (500 if answer.what == "health-check" else 503)


@pytest.fixture
def promise(note: Callable[..., None]) -> Callable[..., None]:
    """Asserts what section 7 promises of a fault between two moments under a load that has ended,
    and notes what was measured: `promise("PostgreSQL restarted", load, began, back)`.

    Nobody waits long, nobody is answered anything but good or 503, all is back in time; nothing
    acknowledged is lost, nothing is half done, a repeated order is one order, and each event is
    handled once.
    """

    def check(fault: str, load: Load, began: float, back: float) -> None:
        before = [each for each in load.answers() if each.ended < began]
        assert before
        assert all(each.good for each in before), f"before the fault: {tally(before)}"
        during = load.answers(since=began)
        worst = max(each.seconds for each in during)
        recovery = back_after(during, back)
        load.settle()
        losses = load.losses()
        note(fault, tally(during), worst, recovery, losses)
        assert losses == 0
        assert_balanced(load.database)
        wrong = [each for each in during if not each.good and not refused_well(each)]
        assert not wrong, tally(wrong)
        assert worst < ANSWER_SECONDS
        assert recovery < RECOVERY_SECONDS
        late = [each for each in during if not each.good and each.began > back + RECOVERY_SECONDS]
        assert not late, tally(late)

    return check
