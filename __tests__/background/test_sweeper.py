"""The sweeper: goes on whatever happens, and stops when it is told to."""

from threading import Event

import pytest

from background import sweeper
from utils.background_thread import in_background
from utils.errors import Unavailable


@pytest.fixture
def sweeps(monkeypatch):
    """Lets the sweeper run at once; the first sweep does what it is given, the second reports."""
    monkeypatch.setattr(sweeper, "INTERVAL_SECONDS", 0.001)

    def run(first):
        outcomes, second = iter([first]), Event()

        def sweep():
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    raise outcome
                return outcome
            second.set()
            return 0

        monkeypatch.setattr("services.sweep_service.sweep", sweep)
        with in_background(sweeper.run_sweeper):
            assert second.wait(10)

    return run


@pytest.mark.parametrize(
    ("first", "line"),
    [
        (3, "removed 3 expired rows"),
        (Unavailable("gone"), "expired rows were not removed: the database is not available"),
        (RuntimeError("a fault of ours"), "a fault of ours"),
    ],
)
def test_it_tells_what_happened_and_goes_on(sweeps, caplog, first, line):
    caplog.set_level("INFO")
    sweeps(first)

    assert line in caplog.text


def test_it_says_nothing_when_there_was_nothing_to_sweep(sweeps, caplog):
    caplog.set_level("INFO")
    sweeps(0)

    assert caplog.text == ""


def test_it_stops_in_the_middle_of_its_pause(monkeypatch):
    monkeypatch.setattr("services.sweep_service.sweep", lambda: pytest.fail("did not pause"))
    stop = Event()
    stop.set()
    sweeper.run_sweeper(stop)


def test_it_removes_what_has_expired(db, monkeypatch):
    from repositories import token_repository
    from repositories.sql import execute, fetch_all
    from services import sweep_service

    token_repository.add_token("old", 60)
    execute("UPDATE tokens SET expires_at = now()")
    token_repository.add_token("young", 60)
    sweep, swept = sweep_service.sweep, Event()

    def sweep_and_tell():
        try:
            return sweep()
        finally:
            swept.set()

    monkeypatch.setattr(sweeper, "INTERVAL_SECONDS", 0.001)
    monkeypatch.setattr(sweep_service, "sweep", sweep_and_tell)
    with in_background(sweeper.run_sweeper):
        assert swept.wait(10)

    assert len(fetch_all("SELECT 1 FROM tokens")) == 1
    assert token_repository.check_token("young")
