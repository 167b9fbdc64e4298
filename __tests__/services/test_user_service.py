"""Users: what reaches the repository, who may change what, and what is forgotten afterwards."""

from contextlib import contextmanager
from unittest.mock import MagicMock, call, patch

import bcrypt
import pytest

from services import access_cache, user_service
from utils.errors import Conflict, Forbidden, InvalidRequest, NotFound

USER = {"id": 1, "user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"}
STORED = bcrypt.hashpw(b"gopher1!", bcrypt.gensalt(4)).decode()
PLAIN = {"password_hash": STORED, "status": 1, "is_superuser": False}
PLAIN |= {"email": "present@example.org", "email_confirmed": False}
PROFILE = {**USER, "status": 1, "is_active": True, "is_superuser": False}
NEW = {
    "user_name": "gopher_boris",
    "password": "gopher1!",
    "first_name": "Boris",
    "last_name": "Petrov",
    "roles": ["baker"],
    "is_active": True,
    "is_superuser": False,
}


@pytest.fixture(autouse=True)
def no_database():
    with patch("config.db.pool", MagicMock(closed=True)) as pool:
        yield
        pool.connection.assert_not_called()


@pytest.fixture(autouse=True)
def request_confirmation():
    """No mail is on its way."""
    with patch("services.recovery_service.request_confirmation") as request_confirmation:
        yield request_confirmation


@pytest.fixture
def remembered(monkeypatch):
    """The sessions that this worker remembers: two of user 1, one of user 2."""
    remembered = {("s1", 1): (0.0, None), ("s2", 1): (0.0, None), ("s3", 2): (0.0, None)}
    monkeypatch.setattr(access_cache, "_entries", remembered)
    return lambda: [session_id for session_id, _ in remembered]


@pytest.fixture
def database(monkeypatch):
    """Every repository that a change touches, in one mock: its `mock_calls` are their order.
    The user's present password is `gopher1!`, and no login is recent."""
    database = MagicMock()
    database.get_password_hash.return_value = STORED
    database.get_email.return_value = "present@example.org"
    database.lock_user.side_effect = lambda user_id, conn: {"id": user_id, **PLAIN}
    database.lock_active_superusers.return_value = []
    database.is_recent.return_value = False
    database.update_user.return_value = USER
    database.create_user.return_value = USER
    database.assign.side_effect = lambda user_id, roles, conn: sorted({*roles})
    database.get_user_profile.return_value = PROFILE
    for name in (
        "follow_repository.is_followed",
        "follow_repository.lock_all_of",
        "user_repository.create_user",
        "user_repository.get_email",
        "user_repository.get_password_hash",
        "user_repository.get_user_profile",
        "user_repository.lock_active_superusers",
        "user_repository.lock_user",
        "session_repository.end_sessions",
        "session_repository.is_recent",
    ):
        monkeypatch.setattr(f"repositories.{name}", getattr(database, name.partition(".")[2]))
    for name in ("update_user", "delete_user"):
        monkeypatch.setattr(user_service, name, getattr(database, name))
    monkeypatch.setattr("services.audit_service.record", database.record)
    monkeypatch.setattr("services.role_service.assign", database.assign)

    @contextmanager
    def transaction(conn=None):
        database.begin()
        yield "conn"
        database.commit()

    monkeypatch.setattr(user_service, "transaction", transaction)
    return database


def order(database):
    return [name for name, _, _ in database.mock_calls]


REPOSITORY = "services.user_service.user_repository"


@pytest.mark.parametrize(
    ("function", "args", "repository"),
    [
        ("get_all", (10, 20), "services.user_service.get_all_users"),
        ("get_by_id", (1,), "services.user_service.get_user_by_id"),
    ],
)
class TestReading:
    def test_gives_what_the_repository_gives(self, function, args, repository):
        with patch(repository, return_value=USER) as read:
            assert getattr(user_service, function)(*args) is USER

        read.assert_called_once_with(*args)

    def test_lets_its_errors_through(self, function, args, repository):
        error = NotFound("User not found")
        with (
            patch(repository, side_effect=error),
            pytest.raises(ValueError, match=r"^User not found$"),
        ):
            getattr(user_service, function)(*args)


class TestProfiles:
    @pytest.mark.parametrize(
        ("permissions", "claims"),
        [(["user:read", "user:read_private"], {}), ([], {"is_superuser": True})],
    )
    @pytest.mark.parametrize(("read", "ref"), [("get_by_id", 7), ("get_by_name", "gopher_anna")])
    def test_what_is_private_needs_its_permission(
        self, database, caller, permissions, claims, read, ref
    ):
        caller(1, *permissions, **claims)
        with patch("repositories.profile_repository.get_profile_by_name", return_value={"id": 7}):
            assert getattr(user_service, read)(ref) is PROFILE

        database.get_user_profile.assert_called_once_with(7, reader_id=1)

    @pytest.mark.parametrize("permissions", [["a:a", "b:b"], []])
    def test_ones_own_has_roles_and_permissions_by_name(self, database, caller, permissions):
        caller(7, *permissions)
        roles = [{"id": "1", "name": "baker"}, {"id": "2", "name": "user"}]
        with patch("repositories.role_repository.get_user_roles", return_value=roles) as get_roles:
            own = user_service.get_own_profile()

        assert own == {**PROFILE, "roles": ["baker", "user"], "permissions": permissions}
        database.get_user_profile.assert_called_once_with(7)
        get_roles.assert_called_once_with(7)


class TestCreate:
    @pytest.fixture(autouse=True)
    def helper(self, caller):
        caller(9, "user:create", "role:write")

    def test_user_roles_and_entry_agree_in_one_transaction(self, database):
        assert user_service.create(dict(NEW)) is PROFILE

        assert order(database) == [
            "begin",
            "create_user",
            "assign",
            "record",
            "commit",
            "get_user_profile",
        ]
        database.assign.assert_called_once_with(1, ["baker"], "conn")
        after = {"roles": ["baker"], "is_active": True, "is_superuser": False}
        database.record.assert_called_once_with("user.create", "user:1", None, after, "conn")

    def test_the_entry_has_the_names_of_the_roles_whatever_was_sent(self, database):
        database.assign.side_effect = lambda *_: ["baker"]
        user_service.create({**NEW, "roles": ["7d9f4a52-3c1e-4e0b-8a64-2f3f3f0f7c11"]})

        assert database.record.call_args.args[3]["roles"] == ["baker"]

    @pytest.mark.parametrize(("is_active", "status"), [(True, 1), (False, 0)])
    def test_the_repository_gets_columns(self, database, is_active, status):
        dto = {**NEW, "is_active": is_active, "password_confirm": "gopher1!", "middle_name": None}
        user_service.create(dto)

        (user, conn), _ = database.create_user.call_args
        hashed = user.pop("password_hash")
        assert user == {
            "user_name": "gopher_boris",
            "first_name": "Boris",
            "last_name": "Petrov",
            "middle_name": None,
            "status": status,
            "is_superuser": False,
        }
        assert conn == "conn"
        assert bcrypt.checkpw(b"gopher1!", hashed.encode())

    def test_a_superuser_makes_superusers(self, database, caller):
        caller(9, is_superuser=True)
        user_service.create({**NEW, "is_superuser": True})

        assert database.create_user.call_args.args[0]["is_superuser"] is True

    def test_nobody_else_does_and_no_core_is_spent_on_it(self, database, caller):
        caller(9, "user:create", "user:update_any")
        with patch("bcrypt.hashpw") as hashpw, pytest.raises(Forbidden, match="Only a superuser"):
            user_service.create({**NEW, "is_superuser": True})

        assert order(database) == []
        hashpw.assert_not_called()

    def test_an_address_is_to_be_confirmed_once_the_user_is_there(
        self, database, request_confirmation
    ):
        database.attach_mock(request_confirmation, "request_confirmation")
        user_service.create({**NEW, "email": "boris@example.org"})

        assert database.mock_calls[-3:-1] == [
            call.commit(),
            call.request_confirmation(1, "boris@example.org"),
        ]

    @pytest.mark.parametrize("optional", [{}, {"email": None}])
    def test_no_address_gets_no_mail(self, database, request_confirmation, optional):
        user_service.create({**NEW, **optional})

        request_confirmation.assert_not_called()


@pytest.fixture(params=[None, "own"], ids=["without a caller", "on one's own account"])
def simple(request, caller):
    """Who may change names without more ado: the course's tests, scripts, and every member."""
    if request.param:
        caller(1)


@pytest.mark.usefixtures("simple")
class TestUpdateOfNames:
    def test_they_are_handed_on_as_they_are(self, database):
        assert user_service.update(1, {"first_name": "Anna"}) is USER

        assert database.mock_calls == [call.update_user(1, {"first_name": "Anna"})]

    @pytest.mark.parametrize("dto", [{}, {"current_password": "gopher1!"}])
    def test_nothing_to_change_is_the_repositorys_to_refuse(self, database, dto):
        database.update_user.side_effect = InvalidRequest("No fields to update")
        with pytest.raises(ValueError, match=r"^No fields to update$"):
            user_service.update(1, dto)

        database.update_user.assert_called_once_with(1, {})

    def test_a_new_address_is_to_be_confirmed(self, database, request_confirmation):
        database.is_recent.return_value = True
        user_service.update(1, {"email": "anna@example.org"})

        request_confirmation.assert_called_once_with(1, "anna@example.org")

    @pytest.mark.parametrize("dto", [{"first_name": "Anna"}, {"email": None}])
    def test_no_new_address_gets_no_mail(self, database, request_confirmation, dto):
        database.is_recent.return_value = True
        user_service.update(1, dto)

        request_confirmation.assert_not_called()

    def test_an_address_that_is_taken_gets_no_mail(self, database, request_confirmation):
        database.is_recent.return_value = True
        database.update_user.side_effect = Conflict("E-mail address already taken")
        with pytest.raises(Conflict):
            user_service.update(1, {"email": "anna@example.org"})

        request_confirmation.assert_not_called()


class TestUpdateWithoutACaller:
    """As the course's tests call it."""

    def test_a_new_password_reaches_the_repository_as_password_hash(self, database):
        with patch("bcrypt.hashpw", return_value=b"hashed") as hashpw:
            user_service.update(1, {"password": "gopher2!", "first_name": "Anna"})

        assert hashpw.call_args.args[0] == b"gopher2!"
        # The bytes that bcrypt gave: the course's tests ask for them.
        changes = {"first_name": "Anna", "password_hash": b"hashed"}
        assert database.mock_calls == [call.update_user(1, changes)]

    def test_the_hash_is_one_that_bcrypt_accepts(self, database):
        user_service.update(1, {"password": "gopher2!"})

        stored = database.update_user.call_args.args[1]["password_hash"]
        assert stored.startswith(b"$2b$04$")
        assert bcrypt.checkpw(b"gopher2!", stored)

    @pytest.mark.parametrize("flag", ["is_active", "is_superuser"])
    @pytest.mark.parametrize("value", [True, False])
    def test_flags_stay_as_they_are(self, database, flag, value):
        with pytest.raises(Forbidden, match="without a caller"):
            user_service.update(1, {"first_name": "Anna", flag: value})

        assert database.mock_calls == []


@pytest.mark.parametrize("columns", [{"status": 0}, {"password_hash": STORED}])
@pytest.mark.parametrize("who", [None, 1, 9])
def test_columns_that_no_request_has_are_left_out(database, caller, who, columns):
    if who:
        caller(who, is_superuser=True)
    user_service.update(1, {"first_name": "Anna", **columns})

    assert database.update_user.call_args.args == (1, {"first_name": "Anna"})


@pytest.mark.parametrize("who", [1, 9])
@pytest.mark.parametrize("password", ["gopher1!", "gopher2!"], ids=["present", "new"])
def test_the_callers_dict_is_left_alone(database, caller, who, password):
    if who:
        caller(who, "user:update_any")
    dto = {
        "password": password,
        "current_password": "gopher1!",
        "first_name": "Anna",
        "is_active": True,
    }
    before = dict(dto)
    user_service.update(1, dto)

    assert dto == before
    database.update_user.assert_called_once()


class TestOwnPassword:
    @pytest.fixture(autouse=True)
    def member(self, caller):
        caller(1)

    def test_changed_with_proof_it_ends_the_other_sessions(self, database, remembered):
        dto = {"password": "gopher2!", "current_password": "gopher1!"}
        assert user_service.update(1, dto) is USER

        (user_id, changes), options = database.update_user.call_args
        assert (user_id, changes.keys(), options) == (1, {"password_hash"}, {"conn": "conn"})
        assert bcrypt.checkpw(b"gopher2!", changes["password_hash"])
        database.end_sessions.assert_called_once_with(1, except_id="s1", conn="conn")
        assert remembered() == ["s3"]

    def test_password_and_sessions_agree_and_no_entry_is_written(self, database):
        user_service.update(1, {"password": "gopher2!", "current_password": "gopher1!"})

        assert order(database) == [
            "get_password_hash",
            "begin",
            "lock_user",
            "update_user",
            "end_sessions",
            "commit",
        ]

    def test_a_fresh_login_is_proof_enough(self, database):
        database.is_recent.return_value = True
        user_service.update(1, {"password": "gopher2!"})

        database.is_recent.assert_called_once_with("s1", 15 * 60)
        database.update_user.assert_called_once()

    def test_so_is_the_permission_to_change_anybodys(self, database, caller):
        caller(1, "user:update_any")
        user_service.update(1, {"password": "gopher2!"})

        database.update_user.assert_called_once()

    @pytest.mark.parametrize("recent", [False, True])
    @pytest.mark.parametrize("present", ["gopher3!", "", "a" * 73])
    def test_a_wrong_present_password_is_refused(self, database, remembered, recent, present):
        database.is_recent.return_value = recent
        with pytest.raises(Forbidden):
            user_service.update(1, {"password": "gopher2!", "current_password": present})

        assert order(database) == ["get_password_hash"]
        assert remembered() == ["s1", "s2", "s3"]

    def test_without_proof_nothing_at_all_is_changed(self, database, request_confirmation):
        dto = {"password": "gopher2!", "first_name": "Anna", "email": "anna@example.org"}
        with pytest.raises(Forbidden, match="current_password"):
            user_service.update(1, dto)

        assert order(database) == ["get_password_hash", "get_email", "is_recent"]
        request_confirmation.assert_not_called()

    def test_the_present_password_sent_along_changes_the_rest_alone(self, database):
        user_service.update(1, {"password": "gopher1!", "first_name": "Anna"})

        database.update_user.assert_called_once_with(1, {"first_name": "Anna"}, conn="conn")
        database.end_sessions.assert_not_called()

    @pytest.mark.parametrize("proof", [{}, {"current_password": "gopher1!"}])
    def test_the_present_password_alone_changes_nothing(self, database, proof):
        with patch("services.user_service.get_user_by_id", return_value=USER) as read:
            assert user_service.update(1, {"password": "gopher1!", **proof}) is USER

        read.assert_called_once_with(1)
        assert order(database) == ["get_password_hash"]

    def test_a_user_who_is_gone_is_not_found(self, database):
        database.get_password_hash.side_effect = NotFound("User not found")
        with pytest.raises(NotFound):
            user_service.update(1, {"password": "gopher2!"})

        database.update_user.assert_not_called()


class TestUpdateOfSomebodyElse:
    @pytest.fixture(autouse=True)
    def helper(self, caller):
        caller(9, "user:update_any")

    def test_even_a_name_leaves_an_entry_in_the_same_transaction(self, database):
        assert user_service.update(1, {"first_name": "Anna"}) is USER

        expected = ["begin", "lock_user", "update_user", "record", "commit", "is_followed"]
        assert order(database) == expected
        flags = {"is_active": True, "is_superuser": False}
        database.record.assert_called_once_with(
            "user.update", "user:1", flags, {**flags, "changed": ["first_name"]}, "conn"
        )

    def test_a_password_needs_no_proof_and_ends_every_session(self, database, remembered):
        user_service.update(1, {"password": "gopher2!"})

        database.end_sessions.assert_called_once_with(1, except_id=None, conn="conn")
        database.get_password_hash.assert_not_called()
        assert remembered() == ["s3"]
        assert "gopher2!" not in str(database.record.call_args)
        assert "$2b$" not in str(database.record.call_args)

    def test_the_present_password_of_another_is_a_new_one(self, database):
        """Who may set it must not be able to guess it without being noticed."""
        user_service.update(1, {"password": "gopher1!"})

        assert database.update_user.call_args.args[1].keys() == {"password_hash"}
        database.end_sessions.assert_called_once()

    def test_deactivated_they_are_forgotten(self, database, remembered):
        user_service.update(1, {"is_active": False})

        database.update_user.assert_called_once_with(1, {"status": 0}, conn="conn")
        assert database.record.call_args.args[3] == {
            "is_active": False,
            "is_superuser": False,
            "changed": ["status"],
        }
        assert remembered() == ["s3"]

    @pytest.mark.parametrize(
        ("before", "changes"),
        [
            ({**PLAIN, "is_superuser": True}, {"first_name": "Eve"}),
            ({**PLAIN, "is_superuser": True}, {"password": "gopher2!"}),
            (PLAIN, {"is_superuser": True}),
        ],
    )
    def test_what_is_a_superusers_to_decide_is_refused(
        self, database, remembered, request_confirmation, before, changes
    ):
        database.lock_user.side_effect = lambda user_id, conn: {"id": user_id, **before}
        with pytest.raises(Forbidden, match="Only a superuser"):
            user_service.update(1, {**changes, "email": "eve@example.org"})

        database.update_user.assert_not_called()
        assert "commit" not in order(database)
        assert remembered() == ["s1", "s2", "s3"]
        request_confirmation.assert_not_called()


class TestSuperusers:
    """The last one stays. They are locked before any other user, so that two transactions which
    take superusers away wait for each other there."""

    @pytest.fixture(autouse=True)
    def superuser(self, caller):
        caller(9, is_superuser=True)

    @pytest.mark.parametrize("changes", [{"is_active": False}, {"is_superuser": False}])
    def test_all_are_locked_first(self, database, changes):
        user_service.update(1, changes)

        assert order(database)[:3] == ["begin", "lock_active_superusers", "lock_user"]

    @pytest.mark.parametrize(
        "changes", [{"first_name": "Anna"}, {"is_active": True}, {"is_superuser": True}]
    )
    def test_what_takes_none_away_locks_none(self, database, changes):
        user_service.update(1, changes)

        assert "lock_active_superusers" not in order(database)

    @pytest.mark.parametrize("changes", [{"is_active": False}, {"is_superuser": False}])
    @pytest.mark.parametrize("user_id", [1, 9])
    def test_the_last_is_neither_deactivated_nor_demoted(self, database, user_id, changes):
        database.lock_active_superusers.return_value = [user_id]
        with pytest.raises(Conflict):
            user_service.update(user_id, changes)

        read = ["get_password_hash"] if user_id == 9 else []
        assert order(database) == [*read, "begin", "lock_active_superusers"]

    def test_the_last_is_not_deleted(self, database, remembered):
        database.lock_active_superusers.return_value = [1]
        with pytest.raises(Conflict):
            user_service.delete(1)

        assert order(database) == ["begin", "lock_active_superusers"]
        assert remembered() == ["s1", "s2", "s3"]

    def test_nobody_deletes_themselves(self, database, remembered):
        database.lock_active_superusers.return_value = [1, 9]
        with pytest.raises(Forbidden, match=r"^A superuser cannot delete their own account$"):
            user_service.delete(9)

        assert order(database) == []

    @pytest.mark.parametrize("flag", ["is_active", "is_superuser"])
    def test_a_change_of_ones_own_flags_leaves_an_entry(self, database, flag):
        database.lock_user.side_effect = lambda user_id, conn: {
            "id": user_id,
            **PLAIN,
            "is_superuser": True,
        }
        database.lock_active_superusers.return_value = [1, 9]
        user_service.update(9, {flag: False})

        before = {"is_active": True, "is_superuser": True}
        database.record.assert_called_once()
        assert database.record.call_args.args[2] == before
        assert {**before, flag: False}.items() <= database.record.call_args.args[3].items()


class TestDelete:
    @pytest.mark.usefixtures("simple")
    def test_the_sessions_of_the_user_are_forgotten(self, database, remembered):
        user_service.delete(1)

        database.delete_user.assert_called_once()
        assert database.delete_user.call_args.args == (1,)
        assert remembered() == ["s3"]

    @pytest.mark.usefixtures("simple")
    def test_not_found(self, database):
        database.delete_user.side_effect = NotFound("User not found")
        with pytest.raises(ValueError, match=r"^User not found$"):
            user_service.delete(1)

    def test_somebody_else_leaves_an_entry_in_the_same_transaction(
        self, database, caller, remembered
    ):
        caller(9, "user:delete_any")
        user_service.delete(1)

        assert order(database) == [
            "begin",
            "lock_active_superusers",
            "lock_all_of",
            "lock_user",
            "delete_user",
            "record",
            "commit",
        ]
        database.delete_user.assert_called_once_with(1, conn="conn")
        before = {"is_active": True, "is_superuser": False}
        database.record.assert_called_once_with("user.delete", "user:1", before, None, "conn")
        assert remembered() == ["s3"]

    def test_a_superuser_is_deleted_by_superusers_alone(self, database, caller, remembered):
        caller(9, "user:delete_any")
        database.lock_active_superusers.return_value = [1, 2]
        database.lock_user.side_effect = lambda user_id, conn: {
            "id": user_id,
            **PLAIN,
            "is_superuser": True,
        }
        with pytest.raises(Forbidden, match="Only a superuser"):
            user_service.delete(1)

        database.delete_user.assert_not_called()
        assert remembered() == ["s1", "s2", "s3"]
