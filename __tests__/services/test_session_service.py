"""Sessions: who is remembered as logged in, and for how long. The clock stands still here."""

from unittest.mock import patch

import pytest

from services import session_service
from utils.errors import NotFound, Unavailable


@pytest.fixture(autouse=True)
def nobody_remembered(monkeypatch):
    monkeypatch.setattr(session_service, "_seen_live", {})


@pytest.fixture
def clock():
    """Set `clock.return_value` to move the time."""
    with patch("services.session_service.monotonic", return_value=1000.0) as clock:
        yield clock


@pytest.fixture
def repository():
    with patch("services.session_service.session_repository") as repository:
        repository.is_live.return_value = True
        yield repository


def test_a_session_that_nobody_asked_about_is_not_remembered():
    assert not session_service.is_remembered("s1", 1)


def test_a_live_session_is_remembered_for_less_than_a_second(clock, repository):
    assert session_service.is_live("s1", 1)

    clock.return_value = 1000.0 + 0.5
    assert session_service.is_remembered("s1", 1)
    clock.return_value = 1000.0 + 1.0
    assert not session_service.is_remembered("s1", 1)


def test_the_time_counts_from_the_question_not_from_the_answer(clock, repository):
    def slow_answer(*args):
        clock.return_value += 0.9
        return True

    repository.is_live.side_effect = slow_answer
    assert session_service.is_live("s1", 1)

    assert not session_service.is_remembered("s1", 1)


def test_a_session_is_remembered_for_its_own_user_alone(clock, repository):
    session_service.is_live("s1", 1)

    assert not session_service.is_remembered("s1", 2)
    assert not session_service.is_remembered("s2", 1)


def test_a_no_is_not_remembered_and_wipes_out_an_earlier_yes(clock, repository):
    session_service.is_live("s1", 1)
    repository.is_live.return_value = False

    assert not session_service.is_live("s1", 1)
    assert not session_service.is_remembered("s1", 1)


def test_a_database_that_is_away_lets_nobody_in(clock, repository):
    repository.is_live.side_effect = Unavailable("The database is not available")
    with pytest.raises(Unavailable):
        session_service.is_live("s1", 1)

    assert not session_service.is_remembered("s1", 1)


def test_memory_stays_bounded(clock, repository, monkeypatch):
    monkeypatch.setattr(session_service, "MAX_REMEMBERED", 10)
    for user_id in range(100):
        session_service.is_live("s1", user_id)

    assert len(session_service._seen_live) <= 10
    assert session_service.is_remembered("s1", 99)


def test_an_ended_session_is_forgotten_at_once(clock, repository):
    session_service.is_live("s1", 1)
    session_service.is_live("s2", 1)
    session_service.end("s1", 1)

    repository.end_session.assert_called_once_with("s1", 1)
    assert not session_service.is_remembered("s1", 1)
    assert session_service.is_remembered("s2", 1)


def test_ending_a_session_that_is_not_there_is_not_found(repository):
    repository.end_session.side_effect = NotFound("Session not found")
    with pytest.raises(NotFound, match=r"^Session not found$"):
        session_service.end("s1", 1)


def test_ending_all_forgets_those_that_were_ended(clock, repository):
    for session_id, user_id in [("s1", 1), ("s2", 1), ("s3", 2)]:
        session_service.is_live(session_id, user_id)
    repository.end_sessions.return_value = ["s1", "s2"]
    session_service.end_all(1)

    repository.end_sessions.assert_called_once_with(1)
    assert not session_service.is_remembered("s1", 1)
    assert not session_service.is_remembered("s2", 1)
    assert session_service.is_remembered("s3", 2)


def test_forgetting_a_user_leaves_the_others(clock, repository):
    for session_id, user_id in [("s1", 1), ("s2", 1), ("s3", 2)]:
        session_service.is_live(session_id, user_id)
    session_service.forget_user(1)

    assert not session_service.is_remembered("s1", 1)
    assert not session_service.is_remembered("s2", 1)
    assert session_service.is_remembered("s3", 2)


def test_the_list_is_the_repositorys(repository):
    sessions = session_service.get_all(1, "s1", 10, 20)

    assert sessions is repository.get_sessions.return_value
    repository.get_sessions.assert_called_once_with(1, "s1", 10, 20)
