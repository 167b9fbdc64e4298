"""The user repository on a real PostgreSQL, always with somebody else in the table."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from dto.user_dto import Credentials, User, UserProfile
from repositories import user_repository
from repositories.sql import execute, fetch_one
from utils.errors import Conflict, InvalidRequest, NotFound

NOBODY = 2**63 - 1


def is_exactly(kind, row):
    """The row has the types and the keys that `kind` promises, and no more."""
    return TypeAdapter(kind).validate_python(row, strict=True) == row


def stored(user_id):
    return fetch_one(
        "SELECT user_name, first_name, last_name, middle_name, email, password_hash, "
        "status, is_superuser, created_at, updated_at, deleted_at FROM users WHERE id = %s",
        (user_id,),
    )


class TestCreate:
    def test_a_user_starts_active_and_without_rights(self, new_user):
        user = new_user("gopher_anna", middle_name="Мария", email="Anna@Example.org")
        row = stored(user["id"])

        assert is_exactly(User, user)
        assert user["status"] == 1
        assert user["created_at"].utcoffset() == timedelta(0)
        assert row["password_hash"] == "hash of gopher_anna"
        assert row["middle_name"] == "Мария"
        assert row["email"] == "Anna@Example.org"
        assert row["is_superuser"] is False
        assert row["deleted_at"] is None

    def test_what_is_left_out_stays_empty(self, anna):
        row = stored(anna)

        assert row["middle_name"] is None
        assert row["email"] is None

    def test_a_name_is_taken_once(self, new_user, anna, boris):
        with pytest.raises(Conflict, match=r"^User already exists$"):
            new_user("gopher_anna")

        assert len(user_repository.get_all_users(10, 0)) == 2

    def test_names_differ_by_case(self, new_user, anna):
        assert new_user("Gopher_Anna")["id"] != anna

    def test_a_deleted_users_name_and_address_are_free(self, new_user):
        first = new_user("gopher_anna", email="anna@example.org")
        user_repository.delete_user(first["id"])
        second = new_user("gopher_anna", email="anna@example.org")
        user_repository.delete_user(second["id"])

        assert new_user("gopher_anna", email="anna@example.org")["id"] > second["id"] > first["id"]

    @pytest.mark.parametrize(
        ("taken", "wanted"),
        [
            ("anna@example.org", "anna@example.org"),
            ("Anna@Example.org", "aNNA@eXAMPLE.oRG"),
            ("анна@example.org", "АННА@example.org"),
        ],
    )
    def test_an_address_is_taken_whatever_its_case(self, new_user, taken, wanted):
        new_user("gopher_anna", email=taken)

        with pytest.raises(Conflict, match=r"^E-mail address already taken$"):
            new_user("gopher_boris", email=wanted)

    def test_no_address_is_nobodys(self, new_user):
        new_user("gopher_anna", email=None)

        assert new_user("gopher_boris", email=None)

    @pytest.mark.parametrize("name", ["x'; DROP TABLE users; --", 'a"b', "%s", "{0}", "\\"])
    def test_a_name_is_data(self, new_user, name):
        user = new_user("gopher_anna", first_name=name)

        assert user["first_name"] == name
        assert user_repository.get_user_by_id(user["id"])["first_name"] == name

    def test_in_a_transaction_that_fails_nothing_is_created(self, new_user, boris, rolled_back):
        fields = {
            "user_name": "gopher_anna",
            "first_name": "Anna",
            "last_name": "Petrova",
            "password_hash": "hash",
        }
        rolled_back(lambda conn: user_repository.create_user(fields, conn=conn))

        assert [user["id"] for user in user_repository.get_all_users(10, 0)] == [boris]


class TestList:
    def test_the_users_come_by_id_without_the_deleted(self, new_user):
        names = ["gopher_c", "gopher_a", "gopher_d", "gopher_b"]
        users = [new_user(name) for name in names]
        user_repository.delete_user(users[2]["id"])
        user_repository.update_user(users[0]["id"], {"first_name": "Moved"})

        rows = user_repository.get_all_users(10, 0)

        assert [row["user_name"] for row in rows] == ["gopher_c", "gopher_a", "gopher_b"]
        assert all(is_exactly(User, row) for row in rows)

    def test_limit_and_offset_cut_a_page_out(self, new_user):
        names = [f"gopher_{number}" for number in range(5)]
        for name in names:
            new_user(name)

        pages = [user_repository.get_all_users(2, offset) for offset in (0, 2, 4, 6)]

        assert [[row["user_name"] for row in page] for page in pages] == [
            names[:2],
            names[2:4],
            names[4:],
            [],
        ]


class TestGet:
    def test_each_by_their_id(self, anna, boris):
        assert user_repository.get_user_by_id(anna)["user_name"] == "gopher_anna"
        assert user_repository.get_user_by_id(boris)["user_name"] == "gopher_boris"
        assert is_exactly(User, user_repository.get_user_by_id(boris))

    def test_each_with_their_own_hash(self, anna, boris):
        credentials = user_repository.get_user_by_username("gopher_boris")

        assert credentials["id"] == boris
        assert credentials["password_hash"] == "hash of gopher_boris"
        assert is_exactly(Credentials, credentials)
        assert user_repository.get_password_hash(anna) == "hash of gopher_anna"
        assert user_repository.get_password_hash(boris) == "hash of gopher_boris"

    def test_the_profile_has_everything_but_the_hash(self, new_user, anna):
        user = new_user("gopher_boris", middle_name="Olegovich", email="boris@example.org")
        execute("UPDATE users SET status = 0, is_superuser = true WHERE id = %s", (user["id"],))

        profile = user_repository.get_user_profile(user["id"])

        assert is_exactly(UserProfile, profile)
        assert profile["email"] == "boris@example.org"
        assert profile["middle_name"] == "Olegovich"
        assert profile["is_superuser"] is True
        assert (profile["status"], profile["is_active"]) == (0, False)
        assert user_repository.get_user_profile(anna)["is_active"] is True

    def test_a_name_is_matched_with_its_case(self, anna):
        with pytest.raises(NotFound):
            user_repository.get_user_by_username("GOPHER_ANNA")

    @pytest.mark.parametrize(
        "get",
        [
            user_repository.get_user_by_id,
            user_repository.get_user_profile,
            user_repository.get_password_hash,
            user_repository.delete_user,
        ],
    )
    def test_neither_the_unknown_nor_the_deleted_are_found_by_id(self, get, anna, boris):
        user_repository.delete_user(anna)

        for user_id in (anna, NOBODY):
            with pytest.raises(NotFound, match=r"^User not found$"):
                get(user_id)
        get(boris)

    def test_nor_by_name(self, anna, boris):
        user_repository.delete_user(anna)

        for name in ("gopher_anna", "gopher_nobody"):
            with pytest.raises(NotFound, match=r"^User not found$"):
                user_repository.get_user_by_username(name)
        assert user_repository.get_user_by_username("gopher_boris")["id"] == boris


class TestUpdate:
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("user_name", "gopher_hanna"),
            ("first_name", "Ханна"),
            ("last_name", "Сидорова"),
            ("middle_name", "Olga"),
            ("middle_name", None),
            ("email", "hanna@example.org"),
            ("email", None),
            ("password_hash", "a new hash"),
        ],
    )
    def test_only_the_named_column_of_that_user_changes(self, new_user, boris, column, value):
        anna = new_user("gopher_anna", middle_name="Maria", email="anna@example.org")["id"]
        before, other = stored(anna), stored(boris)

        user = user_repository.update_user(anna, {column: value})

        after = stored(anna)
        assert is_exactly(User, user)
        assert user["updated_at"] == after["updated_at"] > before["updated_at"]
        assert after == {**before, column: value, "updated_at": after["updated_at"]}
        assert stored(boris) == other

    def test_several_columns_at_once(self, anna):
        changes = {"last_name": "B", "user_name": "gopher_z", "email": "z@example.org"}

        user_repository.update_user(anna, changes)

        assert stored(anna).items() >= changes.items()

    @pytest.mark.parametrize("changes", [{}, {"password": "gopher2!"}, {"session_id": "x"}])
    def test_nothing_to_change_is_refused(self, anna, changes):
        before = stored(anna)

        with pytest.raises(InvalidRequest, match=r"^No fields to update$"):
            user_repository.update_user(anna, changes)
        assert stored(anna) == before

    def test_the_unknown_and_the_deleted_are_not_found(self, anna, boris):
        user_repository.delete_user(anna)
        before = stored(anna)

        for user_id in (anna, NOBODY):
            with pytest.raises(NotFound, match=r"^User not found$"):
                user_repository.update_user(user_id, {"first_name": "New"})
        assert stored(anna) == before

    def test_another_users_name_and_address_are_taken(self, new_user, anna):
        boris = new_user("gopher_boris", email="boris@example.org")["id"]
        before = stored(anna)

        with pytest.raises(Conflict, match=r"^User already exists$"):
            user_repository.update_user(anna, {"user_name": "gopher_boris"})
        with pytest.raises(Conflict, match=r"^E-mail address already taken$"):
            user_repository.update_user(anna, {"email": "BORIS@example.org"})
        assert stored(anna) == before
        # Ones own are not.
        user_repository.update_user(boris, {"user_name": "gopher_boris"})
        user_repository.update_user(boris, {"email": "Boris@example.org"})

    def test_in_a_transaction_that_fails_nothing_changes(self, anna, rolled_back):
        before = stored(anna)

        rolled_back(
            lambda conn: user_repository.update_user(anna, {"first_name": "New"}, conn=conn)
        )

        assert stored(anna) == before


class TestDelete:
    def test_the_row_stays_and_the_others_live_on(self, anna, boris):
        before, other = stored(anna), stored(boris)

        user_repository.delete_user(anna)

        after = stored(anna)
        assert after["deleted_at"] is not None
        erased = dict.fromkeys(("user_name", "first_name", "last_name"), "deleted")
        times = {name: after[name] for name in ("deleted_at", "updated_at")}
        assert after == {**before, **erased, **times, "password_hash": ""}
        assert stored(boris) == other

    def test_a_transaction_that_fails_keeps_the_user(self, anna, rolled_back):
        rolled_back(lambda conn: user_repository.delete_user(anna, conn=conn))

        assert stored(anna)["deleted_at"] is None
