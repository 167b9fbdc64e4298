"""Sessions: who is remembered with which rights, and for how long. The clock stands still here."""

from unittest.mock import patch

import pytest

from services import session_service
from services.session_service import Access
from utils.errors import NotFound, Unavailable

ROW = {"user_name": "gopher_anna", "is_superuser": False, "permissions": ["post:read", "a:b"]}
ANNA = Access(1, "gopher_anna", False, frozenset({"post:read", "a:b"}))
GUEST = Access(0, "", False, frozenset({"product:read"}))


@pytest.fixture(autouse=True)
def nobody_remembered(monkeypatch):
    monkeypatch.setattr(session_service, "_remembered", {})


@pytest.fixture
def clock():
    """Set `clock.return_value` to move the time."""
    with patch("services.session_service.monotonic", return_value=1000.0) as clock:
        yield clock


@pytest.fixture
def repository():
    with patch("services.session_service.session_repository") as repository:
        repository.get_access.return_value = ROW
        repository.get_guest_permissions.return_value = ["product:read"]
        yield repository


def test_a_session_that_nobody_asked_about_is_not_remembered():
    assert session_service.remembered("s1", 1) is None
    assert session_service.remembered_guest() is None


def test_what_is_found_names_the_user_and_the_rights(clock, repository):
    assert session_service.find("s1", 1) == ANNA

    repository.get_access.assert_called_once_with("s1", 1)


def test_a_superuser_is_found_as_one(clock, repository):
    repository.get_access.return_value = {**ROW, "is_superuser": True}

    assert session_service.find("s1", 1).is_superuser is True


def test_what_was_found_is_remembered_for_less_than_a_second(clock, repository):
    session_service.find("s1", 1)

    clock.return_value = 1000.0 + 0.5
    assert session_service.remembered("s1", 1) == ANNA
    clock.return_value = 1000.0 + 1.0
    assert session_service.remembered("s1", 1) is None


def test_remembering_asks_nobody_and_prolongs_nothing(clock, repository):
    session_service.find("s1", 1)
    for moment in (0.2, 0.4, 0.6):
        clock.return_value = 1000.0 + moment
        assert session_service.remembered("s1", 1) == ANNA

    clock.return_value = 1000.0 + 1.0
    assert session_service.remembered("s1", 1) is None
    repository.get_access.assert_called_once()


def test_the_time_counts_from_the_question_not_from_the_answer(clock, repository):
    def slow_answer(*args):
        clock.return_value += 0.9
        return ROW

    repository.get_access.side_effect = slow_answer
    assert session_service.find("s1", 1) == ANNA

    assert session_service.remembered("s1", 1) is None


def test_a_session_is_remembered_for_its_own_user_alone(clock, repository):
    session_service.find("s1", 1)

    assert session_service.remembered("s1", 2) is None
    assert session_service.remembered("s2", 1) is None
    assert session_service.remembered_guest() is None


def test_a_changed_right_replaces_what_was_remembered(clock, repository):
    session_service.find("s1", 1)
    repository.get_access.return_value = {**ROW, "permissions": []}
    session_service.find("s1", 1)

    assert session_service.remembered("s1", 1).permissions == frozenset()


def test_a_no_is_not_remembered_and_wipes_out_an_earlier_yes(clock, repository):
    session_service.find("s1", 1)
    repository.get_access.return_value = None

    assert session_service.find("s1", 1) is None
    assert session_service.remembered("s1", 1) is None


def test_a_database_that_is_away_lets_nobody_in(clock, repository):
    repository.get_access.side_effect = Unavailable("The database is not available")
    repository.get_guest_permissions.side_effect = Unavailable("The database is not available")
    with pytest.raises(Unavailable):
        session_service.find("s1", 1)
    with pytest.raises(Unavailable):
        session_service.find_guest()

    assert session_service.remembered("s1", 1) is None
    assert session_service.remembered_guest() is None


def test_memory_stays_bounded(clock, repository, monkeypatch):
    monkeypatch.setattr(session_service, "MAX_REMEMBERED", 10)
    for user_id in range(1, 101):
        session_service.find("s1", user_id)

    assert len(session_service._remembered) <= 10
    assert session_service.remembered("s1", 100).user_id == 100


class TestGuest:
    def test_has_the_permissions_of_the_role_and_no_name(self, clock, repository):
        assert session_service.find_guest() == GUEST

    def test_is_remembered_for_less_than_a_second(self, clock, repository):
        session_service.find_guest()

        clock.return_value = 1000.0 + 0.5
        assert session_service.remembered_guest() == GUEST
        clock.return_value = 1000.0 + 1.0
        assert session_service.remembered_guest() is None

    def test_the_time_counts_from_the_question(self, clock, repository):
        def slow_answer():
            clock.return_value += 0.9
            return ["product:read"]

        repository.get_guest_permissions.side_effect = slow_answer
        assert session_service.find_guest() == GUEST

        assert session_service.remembered_guest() is None


def remember_three():
    for session_id, user_id in [("s1", 1), ("s2", 1), ("s3", 2)]:
        session_service.find(session_id, user_id)
    session_service.find_guest()


def who_is_remembered():
    sessions = [("s1", 1), ("s2", 1), ("s3", 2)]
    names = [name for name, user_id in sessions if session_service.remembered(name, user_id)]
    return [*names, "guest"] if session_service.remembered_guest() else names


def test_an_ended_session_is_forgotten_at_once(clock, repository):
    remember_three()
    session_service.end("s1", 1)

    repository.end_session.assert_called_once_with("s1", 1)
    assert who_is_remembered() == ["s2", "s3", "guest"]


def test_ending_a_session_that_is_not_there_is_not_found(repository):
    repository.end_session.side_effect = NotFound("Session not found")
    with pytest.raises(NotFound, match=r"^Session not found$"):
        session_service.end("s1", 1)


def test_nobody_ends_anothers_session(clock, repository):
    remember_three()
    repository.end_session.side_effect = NotFound("Session not found")
    with pytest.raises(NotFound):
        session_service.end("s3", 1)

    assert who_is_remembered() == ["s1", "s2", "s3", "guest"]


def test_ending_all_forgets_all_of_the_user(clock, repository):
    remember_three()
    session_service.end_all(1)

    repository.end_sessions.assert_called_once_with(1)
    assert who_is_remembered() == ["s3", "guest"]


@pytest.mark.parametrize(
    ("forget", "left"),
    [
        (lambda: session_service.forget("s1", 1), ["s2", "s3", "guest"]),
        (lambda: session_service.forget("s1", 2), ["s1", "s2", "s3", "guest"]),
        (lambda: session_service.forget_user(1), ["s3", "guest"]),
        (lambda: session_service.forget_everybody(), []),
    ],
    ids=["a session", "nobody's session", "a user", "everybody"],
)
def test_forgetting_makes_the_database_be_asked_again(clock, repository, forget, left):
    remember_three()
    forget()

    assert who_is_remembered() == left


def test_a_session_is_not_forgotten_before_it_has_ended(clock, repository):
    """Else a request in between would remember it again."""
    remember_three()
    repository.end_session.side_effect = lambda *args: session_service.find("s1", 1)
    repository.end_sessions.side_effect = lambda *args: session_service.find("s2", 1)
    session_service.end("s1", 1)
    session_service.end_all(1)

    assert who_is_remembered() == ["s3", "guest"]


FORGETTING = {
    "this session": lambda: session_service.forget("s1", 1),
    "this user": lambda: session_service.forget_user(1),
    "everybody": session_service.forget_everybody,
    # The answer does not tell what was changed: any change makes it doubtful.
    "another session": lambda: session_service.forget("s9", 9),
}


@pytest.mark.parametrize("forget", FORGETTING.values(), ids=FORGETTING)
def test_an_answer_that_was_on_its_way_while_something_was_forgotten_is_not_kept(
    clock, repository, forget
):
    def overtaken(answer):
        forget()
        return answer

    repository.get_access.side_effect = lambda *args: overtaken(ROW)
    repository.get_guest_permissions.side_effect = lambda: overtaken(["product:read"])

    assert session_service.find("s1", 1) == ANNA
    assert session_service.find_guest() == GUEST
    assert who_is_remembered() == []

    repository.get_access.side_effect = repository.get_guest_permissions.side_effect = None
    remember_three()
    assert who_is_remembered() == ["s1", "s2", "s3", "guest"]


def test_an_answer_that_was_overtaken_leaves_what_others_remember(clock, repository):
    remember_three()

    def overtaken(*args):
        session_service.forget("s1", 1)
        return ROW

    repository.get_access.side_effect = overtaken
    session_service.find("s1", 1)

    assert who_is_remembered() == ["s2", "s3", "guest"]


def test_the_list_is_the_repositorys(repository):
    sessions = session_service.get_all(1, "s1", 10, 20)

    assert sessions is repository.get_sessions.return_value
    repository.get_sessions.assert_called_once_with(1, "s1", 10, 20)
