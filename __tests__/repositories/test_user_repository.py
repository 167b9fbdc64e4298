"""The statements of the user repository, on a pool that connects to nothing."""

from unittest.mock import MagicMock, patch

import pytest
from psycopg.errors import UniqueViolation

from repositories import user_repository
from utils.errors import Conflict, InvalidRequest, NotFound

ROW = {"id": 1, "user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"}
NEW_USER = {
    "user_name": "gopher_anna",
    "first_name": "Anna",
    "last_name": "Petrova",
    "password_hash": "hashed",
}


@pytest.fixture
def cursor():
    with patch("config.db.pool") as pool:
        conn = pool.connection.return_value.__enter__.return_value
        cursor = conn.cursor.return_value.__enter__.return_value
        cursor.fetchone.return_value = dict(ROW)
        cursor.fetchall.return_value = [dict(ROW)]
        cursor.rowcount = 1
        yield cursor


@pytest.fixture
def conn(cursor):
    conn = MagicMock()
    conn.cursor.return_value.__enter__.return_value = cursor
    return conn


def sent(cursor):
    """The one statement that was sent, in one line, and its parameters."""
    cursor.execute.assert_called_once()
    sql, params = cursor.execute.call_args.args
    return " ".join(sql.split()), params


class TestCreateUser:
    def test_inserts_and_returns_the_row(self, cursor):
        assert user_repository.create_user(NEW_USER) == ROW

        sql, params = sent(cursor)
        assert sql.startswith(
            "INSERT INTO users (user_name, first_name, last_name, password_hash)"
            " VALUES (%s, %s, %s, %s) RETURNING id, user_name"
        )
        assert params == ("gopher_anna", "Anna", "Petrova", "hashed")

    def test_the_order_of_the_dict_does_not_matter(self, cursor):
        user_repository.create_user(dict(reversed(NEW_USER.items())))

        assert sent(cursor)[1] == ("gopher_anna", "Anna", "Petrova", "hashed")

    def test_optional_columns_come_last(self, cursor):
        extra = {"is_superuser": True, "email": "anna@example.org", "middle_name": None}
        user_repository.create_user({**extra, **NEW_USER, "status": 0})

        sql, params = sent(cursor)
        columns = "password_hash, middle_name, email, status, is_superuser)"
        assert f"{columns} VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING" in sql
        given = ("gopher_anna", "Anna", "Petrova", "hashed")
        assert params == (*given, None, "anna@example.org", 0, True)

    def test_a_key_that_is_no_column_never_gets_into_the_statement(self, cursor):
        strangers = {"roles": ["admin"], "deleted_at": None, "1; DROP TABLE users": 1}
        user_repository.create_user({**NEW_USER, **strangers})

        sql, params = sent(cursor)
        assert "roles" not in sql
        assert "deleted_at" not in sql
        assert "DROP" not in sql
        assert len(params) == 4

    def test_the_hash_does_not_come_back(self, cursor):
        user_repository.create_user(NEW_USER)

        assert "password_hash" not in sent(cursor)[0].partition("RETURNING")[2]


class TestReading:
    def test_the_list_is_ordered_and_takes_offset_before_limit(self, cursor):
        assert user_repository.get_all_users(limit=10, offset=20) == [ROW]

        sql, params = sent(cursor)
        assert "WHERE deleted_at IS NULL ORDER BY id OFFSET %s LIMIT %s" in sql
        assert params == (20, 10)

    def test_an_empty_list(self, cursor):
        cursor.fetchall.return_value = []

        assert user_repository.get_all_users(10, 0) == []

    @pytest.mark.parametrize(
        ("function", "key", "column"),
        [
            ("get_user_by_id", 7, "id"),
            ("get_user_by_username", "gopher_anna", "user_name"),
        ],
    )
    def test_one_user_who_is_not_deleted(self, cursor, function, key, column):
        assert getattr(user_repository, function)(key) == ROW

        sql, params = sent(cursor)
        assert sql.endswith(f"FROM users WHERE {column} = %s AND deleted_at IS NULL")
        assert params == (key,)

    @pytest.mark.parametrize(
        ("function", "key"),
        [
            ("get_all_users", (10, 0)),
            ("get_user_by_id", (7,)),
            ("get_user_profile", (7,)),
        ],
    )
    def test_the_hash_is_for_the_login_alone(self, cursor, function, key):
        getattr(user_repository, function)(*key)

        assert "password_hash" not in sent(cursor)[0]

    def test_the_login_gets_hash_and_status(self, cursor):
        user_repository.get_user_by_username("gopher_anna")

        assert sent(cursor)[0].startswith("SELECT id, user_name, password_hash, status FROM users")

    def test_the_hash_alone(self, cursor):
        cursor.fetchone.return_value = {"password_hash": "hashed"}

        assert user_repository.get_password_hash(7) == "hashed"
        assert sent(cursor)[1] == (7,)


class TestUpdateUser:
    @pytest.mark.parametrize(
        ("dto", "assignments", "values"),
        [
            ({"first_name": "Anna"}, "first_name = %s", ("Anna",)),
            (
                {"password_hash": "hashed", "user_name": "gopher_anna"},
                "user_name = %s, password_hash = %s",
                ("gopher_anna", "hashed"),
            ),
            ({"email": None, "middle_name": "M"}, "middle_name = %s, email = %s", ("M", None)),
            ({"is_superuser": False, "status": 0}, "status = %s, is_superuser = %s", (0, False)),
        ],
    )
    def test_only_what_the_dict_has_is_set(self, cursor, dto, assignments, values):
        assert user_repository.update_user(7, dto) == ROW

        sql, params = sent(cursor)
        assert sql.startswith(
            f"UPDATE users SET {assignments}, updated_at = now()"
            " WHERE id = %s AND deleted_at IS NULL RETURNING id, user_name"
        )
        assert params == (*values, 7)

    @pytest.mark.parametrize("dto", [{}, {"roles": ["admin"], "id": 1, "deleted_at": None}])
    def test_nothing_to_change_sends_nothing(self, cursor, dto):
        with pytest.raises(InvalidRequest, match=r"^No fields to update$"):
            user_repository.update_user(7, dto)

        cursor.execute.assert_not_called()


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("create_user", (NEW_USER,)),
        ("get_user_profile", (7,)),
        ("update_user", (7, {"first_name": "Anna"})),
        ("delete_user", (7,)),
        ("lock_user", (7,)),
        ("lock_active_superusers", ()),
        ("confirm_email", (7,)),
        ("find_by_email", ("anna@example.org",)),
        ("awaits_confirmation", (7, "anna@example.org")),
    ],
)
def test_within_a_transaction_of_the_caller(function, args):
    with patch("config.db.pool") as pool:
        conn = pool.getconn()
        getattr(user_repository, function)(*args, conn=conn)

    conn.cursor.return_value.__enter__.return_value.execute.assert_called_once()
    pool.connection.assert_not_called()


class TestLocks:
    """What decides about a change must stay as it is until the change is committed."""

    def test_a_user_is_held_still(self, cursor, conn):
        assert user_repository.lock_user(7, conn) == ROW

        sql, params = sent(cursor)
        assert sql.startswith("SELECT id, password_hash, status, is_superuser, email, ")
        assert sql.endswith("WHERE id = %s AND deleted_at IS NULL FOR UPDATE")
        assert params == (7,)

    def test_active_superusers_are_held_still_in_one_order(self, cursor, conn):
        cursor.fetchall.return_value = [{"id": 1}, {"id": 7}]
        assert user_repository.lock_active_superusers(conn) == [1, 7]

        sql, _ = sent(cursor)
        assert "WHERE is_superuser AND status = 1 AND deleted_at IS NULL" in sql
        assert sql.endswith("ORDER BY id FOR UPDATE")


class TestEmail:
    """An address is held still while a token for it is made."""

    @pytest.mark.parametrize("row", [{"id": 1, "email": "anna@example.org"}, None])
    def test_an_active_user_is_found_in_any_case_of_letters(self, cursor, conn, row):
        cursor.fetchone.return_value = row
        assert user_repository.find_by_email("Anna@Example.org", conn) == row

        sql, params = sent(cursor)
        for condition in ("lower(email) = lower(%s)", "deleted_at IS NULL", "status = 1"):
            assert condition in sql
        assert sql.startswith("SELECT id, email FROM users WHERE ")
        assert sql.endswith(" FOR NO KEY UPDATE")
        assert params == ("Anna@Example.org",)

    @pytest.mark.parametrize(("row", "awaits"), [({"id": 7}, True), (None, False)])
    def test_awaits_confirmation_or_not(self, cursor, conn, row, awaits):
        cursor.fetchone.return_value = row
        assert user_repository.awaits_confirmation(7, "anna@example.org", conn) is awaits

        sql, params = sent(cursor)
        assert sql.endswith(
            "WHERE id = %s AND deleted_at IS NULL"
            " AND (pending_email = %s OR (email = %s AND email_confirmed_at IS NULL))"
            " FOR NO KEY UPDATE"
        )
        assert params == (7, "anna@example.org", "anna@example.org")


def test_a_hash_is_replaced_only_where_it_is_the_old_one(cursor):
    cursor.rowcount = 0  # it was changed meanwhile, which is no error
    assert user_repository.replace_password_hash(7, "old", "new") is None

    assert sent(cursor) == (
        "UPDATE users SET password_hash = %s WHERE id = %s AND password_hash = %s",
        ("new", 7, "old"),
    )


class TestDeleteUser:
    def test_the_row_stays(self, cursor):
        assert user_repository.delete_user(7) is None

        assert sent(cursor) == (
            "UPDATE users SET deleted_at = now() WHERE id = %s AND deleted_at IS NULL",
            (7,),
        )

    def test_not_there(self, cursor):
        cursor.rowcount = 0
        with pytest.raises(NotFound, match=r"^User not found$"):
            user_repository.delete_user(7)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("get_user_by_id", (7,)),
        ("get_user_profile", (7,)),
        ("get_password_hash", (7,)),
        ("lock_user", (7, None)),
        ("get_email", (7,)),
        ("get_user_by_username", ("gopher_anna",)),
        ("update_user", (7, {"first_name": "Anna"})),
    ],
)
def test_no_row_is_a_value_error(cursor, function, args):
    cursor.fetchone.return_value = None
    with pytest.raises(ValueError, match=r"^User not found$") as caught:
        getattr(user_repository, function)(*args)

    assert type(caught.value) is NotFound


@pytest.mark.parametrize(
    ("function", "args"),
    [("create_user", (NEW_USER,)), ("update_user", (7, {"user_name": "gopher_anna"}))],
)
@pytest.mark.parametrize(
    ("constraint", "sentence"),
    [
        ("idx__users__user_name", "User already exists"),
        ("idx__users__email", "E-mail address already taken"),
        ("something_else", "User already exists"),
    ],
)
def test_what_is_taken_is_a_conflict(cursor, function, args, constraint, sentence):
    violation = UniqueViolation(f'duplicate key value violates unique constraint "{constraint}"')
    cursor.execute.side_effect = violation
    with pytest.raises(Conflict, match=f"^{sentence}$") as caught:
        getattr(user_repository, function)(*args)

    assert caught.value.__cause__ is violation
