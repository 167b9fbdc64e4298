"""The cache of what callers may do: what is in it, and for how long. The clock stands still."""

from unittest.mock import MagicMock, patch

import pytest

from services import access_cache, session_service
from services.access_cache import Access
from utils.errors import NotFound, Unavailable

ROW = {"user_name": "gopher_anna", "is_superuser": False, "permissions": ["post:read", "a:b"]}
ANNA = Access(1, "gopher_anna", False, frozenset({"post:read", "a:b"}))
GUEST = Access(0, "", False, frozenset({"product:read"}))


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch):
    monkeypatch.setattr(access_cache, "_entries", {})


@pytest.fixture
def clock():
    """Set `clock.return_value` to move the time."""
    with patch("services.access_cache.monotonic", return_value=1000.0) as clock:
        yield clock


@pytest.fixture
def repository(monkeypatch):
    """In place of the table of sessions, as if the pool were open."""
    monkeypatch.setattr("config.db.pool", MagicMock(closed=False))
    repository = MagicMock()
    repository.get_access.return_value = ROW
    repository.get_guest_permissions.return_value = ["product:read"]
    for module in (access_cache, session_service):
        monkeypatch.setattr(module, "session_repository", repository)
    return repository


def test_a_session_that_was_not_loaded_is_not_cached():
    assert access_cache.get("s1", 1) is None
    assert access_cache.get_guest() is None


def test_what_is_loaded_names_the_user_and_the_rights(clock, repository):
    assert access_cache.load("s1", 1) == ANNA

    repository.get_access.assert_called_once_with("s1", 1)


def test_a_superuser_is_loaded_as_one(clock, repository):
    repository.get_access.return_value = {**ROW, "is_superuser": True}

    assert access_cache.load("s1", 1).is_superuser is True


def test_what_was_loaded_is_cached_for_less_than_a_second(clock, repository):
    access_cache.load("s1", 1)

    clock.return_value = 1000.0 + 0.5
    assert access_cache.get("s1", 1) == ANNA
    clock.return_value = 1000.0 + 1.0
    assert access_cache.get("s1", 1) is None


def test_reading_the_cache_asks_nobody_and_prolongs_nothing(clock, repository):
    access_cache.load("s1", 1)
    for moment in (0.2, 0.4, 0.6):
        clock.return_value = 1000.0 + moment
        assert access_cache.get("s1", 1) == ANNA

    clock.return_value = 1000.0 + 1.0
    assert access_cache.get("s1", 1) is None
    repository.get_access.assert_called_once()


def test_the_time_counts_from_the_start_of_the_query(clock, repository):
    def slow_answer(*args):
        clock.return_value += 0.9
        return ROW

    repository.get_access.side_effect = slow_answer
    assert access_cache.load("s1", 1) == ANNA

    assert access_cache.get("s1", 1) is None


def test_a_session_is_cached_for_its_own_user_alone(clock, repository):
    access_cache.load("s1", 1)

    assert access_cache.get("s1", 2) is None
    assert access_cache.get("s2", 1) is None
    assert access_cache.get_guest() is None


def test_a_changed_right_replaces_the_entry(clock, repository):
    access_cache.load("s1", 1)
    repository.get_access.return_value = {**ROW, "permissions": []}
    access_cache.load("s1", 1)

    assert access_cache.get("s1", 1).permissions == frozenset()


def test_a_session_that_is_over_is_not_cached_and_its_entry_goes(clock, repository):
    access_cache.load("s1", 1)
    repository.get_access.return_value = None

    assert access_cache.load("s1", 1) is None
    assert access_cache.get("s1", 1) is None


def test_a_database_that_is_away_lets_nobody_in(clock, repository):
    repository.get_access.side_effect = Unavailable("The database is not available")
    repository.get_guest_permissions.side_effect = Unavailable("The database is not available")
    with pytest.raises(Unavailable):
        access_cache.load("s1", 1)
    with pytest.raises(Unavailable):
        access_cache.load_guest()

    assert access_cache.get("s1", 1) is None
    assert access_cache.get_guest() is None


def test_memory_stays_bounded(clock, repository, monkeypatch):
    monkeypatch.setattr(access_cache, "MAX_ENTRIES", 10)
    for user_id in range(1, 101):
        access_cache.load("s1", user_id)

    assert len(access_cache._entries) <= 10
    assert access_cache.get("s1", 100).user_id == 100


class TestGuest:
    def test_has_the_permissions_of_the_role_and_no_name(self, clock, repository):
        assert access_cache.load_guest() == GUEST

    def test_is_cached_for_less_than_a_second(self, clock, repository):
        access_cache.load_guest()

        clock.return_value = 1000.0 + 0.5
        assert access_cache.get_guest() == GUEST
        clock.return_value = 1000.0 + 1.0
        assert access_cache.get_guest() is None

    def test_the_time_counts_from_the_start_of_the_query(self, clock, repository):
        def slow_answer():
            clock.return_value += 0.9
            return ["product:read"]

        repository.get_guest_permissions.side_effect = slow_answer
        assert access_cache.load_guest() == GUEST

        assert access_cache.get_guest() is None


def load_three():
    for session_id, user_id in [("s1", 1), ("s2", 1), ("s3", 2)]:
        access_cache.load(session_id, user_id)
    access_cache.load_guest()


def who_is_cached():
    sessions = [("s1", 1), ("s2", 1), ("s3", 2)]
    names = [name for name, user_id in sessions if access_cache.get(name, user_id)]
    return [*names, "guest"] if access_cache.get_guest() else names


def test_an_ended_session_is_invalidated_at_once(clock, repository):
    load_three()
    session_service.end("s1", 1)

    repository.end_session.assert_called_once_with("s1", 1)
    assert who_is_cached() == ["s2", "s3", "guest"]


def test_nobody_ends_anothers_session(clock, repository):
    load_three()
    repository.end_session.side_effect = NotFound("Session not found")
    with pytest.raises(NotFound):
        session_service.end("s3", 1)

    assert who_is_cached() == ["s1", "s2", "s3", "guest"]


def test_ending_all_invalidates_all_of_the_user(clock, repository):
    load_three()
    session_service.end_all(1)

    repository.end_sessions.assert_called_once_with(1)
    assert who_is_cached() == ["s3", "guest"]


@pytest.mark.parametrize(
    ("invalidate", "left"),
    [
        (lambda: access_cache.invalidate_session("s1", 1), ["s2", "s3", "guest"]),
        (lambda: access_cache.invalidate_session("s1", 2), ["s1", "s2", "s3", "guest"]),
        (lambda: access_cache.invalidate_user(1), ["s3", "guest"]),
        (lambda: access_cache.invalidate_all(), []),
    ],
    ids=["a session", "nobody's session", "a user", "everybody"],
)
def test_after_an_invalidation_the_database_is_asked_again(clock, repository, invalidate, left):
    load_three()
    invalidate()

    assert who_is_cached() == left


def test_a_session_is_invalidated_after_it_has_ended(clock, repository):
    """Else a request in between would cache it again."""
    load_three()
    repository.end_session.side_effect = lambda *args: access_cache.load("s1", 1)
    repository.end_sessions.side_effect = lambda *args: access_cache.load("s2", 1)
    session_service.end("s1", 1)
    session_service.end_all(1)

    assert who_is_cached() == ["s3", "guest"]


INVALIDATIONS = {
    "this session": lambda: access_cache.invalidate_session("s1", 1),
    "this user": lambda: access_cache.invalidate_user(1),
    "everybody": access_cache.invalidate_all,
    # The row does not tell what was changed: any change makes it doubtful.
    "another session": lambda: access_cache.invalidate_session("s9", 9),
}


@pytest.mark.parametrize("invalidate", INVALIDATIONS.values(), ids=INVALIDATIONS)
def test_what_was_loaded_during_an_invalidation_is_not_cached(clock, repository, invalidate):
    def overtaken(answer):
        invalidate()
        return answer

    repository.get_access.side_effect = lambda *args: overtaken(ROW)
    repository.get_guest_permissions.side_effect = lambda: overtaken(["product:read"])

    assert access_cache.load("s1", 1) == ANNA
    assert access_cache.load_guest() == GUEST
    assert who_is_cached() == []

    repository.get_access.side_effect = repository.get_guest_permissions.side_effect = None
    load_three()
    assert who_is_cached() == ["s1", "s2", "s3", "guest"]


def test_what_was_loaded_during_an_invalidation_leaves_the_other_entries(clock, repository):
    load_three()

    def overtaken(*args):
        access_cache.invalidate_session("s1", 1)
        return ROW

    repository.get_access.side_effect = overtaken
    access_cache.load("s1", 1)

    assert who_is_cached() == ["s2", "s3", "guest"]
