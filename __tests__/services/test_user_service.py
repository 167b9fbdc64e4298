"""Users: what reaches the repository, and when a new password is believed."""

from contextlib import nullcontext
from unittest.mock import MagicMock, patch

import bcrypt
import pytest

from services import session_service, user_service
from utils.errors import Forbidden, InvalidRequest, NotFound

USER = {"id": 1, "user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"}
STORED = bcrypt.hashpw(b"gopher1!", bcrypt.gensalt(4)).decode()


@pytest.fixture(autouse=True)
def no_database():
    with patch("config.db.pool", MagicMock(closed=True)) as pool:
        yield
        pool.connection.assert_not_called()


@pytest.mark.parametrize(
    ("function", "args", "repository"),
    [
        ("get_all", (10, 20), "get_all_users"),
        ("get_by_id", (1,), "get_user_by_id"),
        ("get_by_name", ("gopher_anna",), "get_public_user_by_username"),
        ("get_profile", (1,), "get_user_profile"),
    ],
)
class TestReading:
    def test_gives_what_the_repository_gives(self, function, args, repository):
        with patch(f"services.user_service.{repository}", return_value=USER) as read:
            assert getattr(user_service, function)(*args) is USER

        read.assert_called_once_with(*args)

    def test_lets_its_errors_through(self, function, args, repository):
        error = NotFound("User not found")
        with (
            patch(f"services.user_service.{repository}", side_effect=error),
            pytest.raises(ValueError, match=r"^User not found$"),
        ):
            getattr(user_service, function)(*args)


@pytest.fixture
def update_user():
    with patch("services.user_service.update_user", return_value=USER) as update_user:
        yield update_user


class TestUpdateWithoutASession:
    def test_names_are_handed_on_as_they_are(self, update_user):
        assert user_service.update(1, {"first_name": "Anna"}) is USER

        update_user.assert_called_once_with(1, {"first_name": "Anna"})

    def test_a_new_password_reaches_the_repository_as_password_hash(self, update_user):
        with patch("bcrypt.hashpw", return_value=b"hashed") as hashpw:
            user_service.update(1, {"password": "gopher2!", "first_name": "Anna"})

        assert hashpw.call_args.args[0] == b"gopher2!"
        update_user.assert_called_once_with(1, {"first_name": "Anna", "password_hash": "hashed"})

    def test_the_hash_is_one_that_bcrypt_accepts(self, update_user):
        user_service.update(1, {"password": "gopher2!"})

        stored = update_user.call_args.args[1]["password_hash"]
        assert bcrypt.checkpw(b"gopher2!", stored.encode())

    def test_the_callers_dict_is_left_alone(self, update_user):
        dto = {"password": "gopher2!", "current_password": "gopher1!", "first_name": "Anna"}
        before = dict(dto)
        user_service.update(1, dto)

        assert dto == before

    @pytest.mark.parametrize("dto", [{}, {"current_password": "gopher1!"}])
    def test_nothing_to_change_is_the_repositorys_to_refuse(self, update_user, dto):
        update_user.side_effect = InvalidRequest("No fields to update")
        with pytest.raises(ValueError, match=r"^No fields to update$"):
            user_service.update(1, dto)

        update_user.assert_called_once_with(1, {})


@pytest.fixture
def sessions():
    """The session repository; the user's present password is `gopher1!`, the login is old."""
    with (
        patch("services.user_service.session_repository") as repository,
        patch("services.user_service.get_password_hash", return_value=STORED),
        patch("services.user_service.transaction", lambda: nullcontext("conn")),
    ):
        repository.is_recent.return_value = False
        repository.end_sessions.return_value = []
        yield repository


class TestUpdateBySession:
    def test_a_password_changed_with_proof_ends_the_other_sessions(self, update_user, sessions):
        sessions.end_sessions.return_value = ["s2", "s3"]
        dto = {"password": "gopher2!", "current_password": "gopher1!", "session_id": "s1"}
        with patch("services.session_service.forget") as forget:
            assert user_service.update(1, dto) is USER

        user_id, changes = update_user.call_args.args
        assert (user_id, changes.keys()) == (1, {"password_hash"})
        assert update_user.call_args.kwargs == {"conn": "conn"}
        sessions.end_sessions.assert_called_once_with(1, except_id="s1", conn="conn")
        assert [call.args for call in forget.call_args_list] == [("s2", 1), ("s3", 1)]

    def test_a_fresh_login_is_proof_enough(self, update_user, sessions):
        sessions.is_recent.return_value = True
        user_service.update(1, {"password": "gopher2!", "session_id": "s1"})

        sessions.is_recent.assert_called_once_with("s1", 15 * 60)
        update_user.assert_called_once()

    @pytest.mark.parametrize("recent", [False, True])
    def test_a_wrong_present_password_is_refused(self, update_user, sessions, recent):
        sessions.is_recent.return_value = recent
        dto = {"password": "gopher2!", "current_password": "gopher3!", "session_id": "s1"}
        with pytest.raises(Forbidden):
            user_service.update(1, dto)

        update_user.assert_not_called()
        sessions.end_sessions.assert_not_called()

    def test_without_proof_nothing_at_all_is_changed(self, update_user, sessions):
        dto = {"password": "gopher2!", "first_name": "Anna", "session_id": "s1"}
        with pytest.raises(Forbidden, match="current_password"):
            user_service.update(1, dto)

        update_user.assert_not_called()

    def test_the_present_password_sent_along_changes_the_rest_alone(self, update_user, sessions):
        dto = {"password": "gopher1!", "first_name": "Anna", "session_id": "s1"}
        user_service.update(1, dto)

        update_user.assert_called_once_with(1, {"first_name": "Anna"})
        sessions.end_sessions.assert_not_called()

    def test_the_present_password_alone_changes_nothing(self, update_user, sessions):
        with patch("services.user_service.get_user_by_id", return_value=USER) as read:
            assert user_service.update(1, {"password": "gopher1!", "session_id": "s1"}) is USER

        read.assert_called_once_with(1)
        update_user.assert_not_called()
        sessions.end_sessions.assert_not_called()

    def test_a_proof_over_72_bytes_is_just_wrong(self, update_user, sessions):
        dto = {"password": "gopher2!", "current_password": "a" * 73, "session_id": "s1"}
        with pytest.raises(Forbidden):
            user_service.update(1, dto)


class TestDelete:
    def test_the_sessions_of_the_user_are_forgotten(self, monkeypatch):
        seen = {("s1", 1): 0.0, ("s2", 1): 0.0, ("s3", 2): 0.0}
        monkeypatch.setattr(session_service, "_seen_live", seen)
        with patch("services.user_service.delete_user") as delete_user:
            user_service.delete(1)

        delete_user.assert_called_once_with(1)
        assert seen.keys() == {("s3", 2)}

    def test_not_found(self):
        error = NotFound("User not found")
        with (
            patch("services.user_service.delete_user", side_effect=error),
            pytest.raises(ValueError, match=r"^User not found$"),
        ):
            user_service.delete(1)
