"""Users in PostgreSQL. The row of a deleted user stays for its posts, without personal data."""

from typing import Any, LiteralString, cast

from psycopg.errors import UniqueViolation

from dto.user_dto import Credentials, LockedUser, NewUser, User, UserColumns, UserProfile
from repositories.sql import Conn, constraint_of, execute, fetch_all, fetch_one
from utils.errors import Conflict, InvalidRequest, NotFound

# The columns that can be written, in the order of the parameters.
REQUIRED_COLUMNS: tuple[LiteralString, ...] = (
    "user_name",
    "first_name",
    "last_name",
    "password_hash",
)
OPTIONAL_COLUMNS: tuple[LiteralString, ...] = (
    "middle_name",
    "email",
    "pending_email",
    "status",
    "is_superuser",
)

# The public profile for a reader who follows nobody; for others see `profile_repository`.
PUBLIC_COLUMNS: LiteralString = """
    id, user_name, first_name, last_name, status, created_at, updated_at,
    followers_count, following_count, false AS is_followed
"""


def create_user(dto: NewUser, conn: Conn | None = None) -> User:
    """Raises Conflict when the user name or the e-mail address is taken."""
    extra: list[LiteralString] = [column for column in OPTIONAL_COLUMNS if column in dto]
    columns: list[LiteralString] = [*REQUIRED_COLUMNS, *extra]
    placeholders: list[LiteralString] = ["%s"] * len(columns)
    values = cast(dict[str, Any], dto)
    try:
        return fetch_one(
            f"""
            INSERT INTO users ({", ".join(columns)})
            VALUES ({", ".join(placeholders)})
            RETURNING {PUBLIC_COLUMNS}
            """,
            tuple(values[column] for column in columns),
            conn,
        )
    except UniqueViolation as error:
        raise _taken(error) from error


def get_all_users(limit: int, offset: int) -> list[User]:
    """Ordered by id."""
    return fetch_all(
        f"""
        SELECT {PUBLIC_COLUMNS}
        FROM users
        WHERE deleted_at IS NULL
        ORDER BY id
        OFFSET %s
        LIMIT %s
        """,
        (offset, limit),
        may_lag=True,
    )


def get_user_by_id(user_id: int) -> User:
    """Raises NotFound."""
    return _found(
        fetch_one(
            f"""
            SELECT {PUBLIC_COLUMNS}
            FROM users
            WHERE id = %s AND deleted_at IS NULL
            """,
            (user_id,),
        )
    )


def get_user_by_username(user_name: str) -> Credentials:
    """With the password's hash, for the login. Raises NotFound."""
    return _found(
        fetch_one(
            """
            SELECT id, user_name, password_hash, status
            FROM users
            WHERE user_name = %s AND deleted_at IS NULL
            """,
            (user_name,),
        )
    )


def find_by_email(email: str, conn: Conn) -> dict[str, Any] | None:
    """`id` and `email` of the active user with this address in upper or lower case; locked until
    the transaction ends."""
    return fetch_one(
        """
        SELECT id, email
        FROM users
        WHERE lower(email) = lower(%s) AND deleted_at IS NULL AND status = 1
        FOR NO KEY UPDATE
        """,
        (email,),
        conn,
    )


def awaits_confirmation(user_id: int, email: str, conn: Conn) -> bool:
    """Whether this is the user's address and not confirmed yet; locked until the transaction
    ends."""
    row = fetch_one(
        """
        SELECT id
        FROM users
        WHERE id = %s AND deleted_at IS NULL
          AND (pending_email = %s OR (email = %s AND email_confirmed_at IS NULL))
        FOR NO KEY UPDATE
        """,
        (user_id, email, email),
        conn,
    )
    return row is not None


def confirm_email(user_id: int, conn: Conn) -> None:
    """The address that awaited it takes the place of the one before. Raises Conflict when somebody
    else has confirmed it meanwhile."""
    try:
        execute(
            """
            UPDATE users
            SET email = coalesce(pending_email, email),
                pending_email = NULL,
                email_confirmed_at = now()
            WHERE id = %s
            """,
            (user_id,),
            conn,
        )
    except UniqueViolation as error:
        raise _taken(error) from error


def get_password_hash(user_id: int) -> str:
    """Raises NotFound."""
    row = _found(
        fetch_one(
            "SELECT password_hash FROM users WHERE id = %s AND deleted_at IS NULL", (user_id,)
        )
    )
    return row["password_hash"]


def is_superuser(user_id: int) -> bool:
    """False for an unknown user, too."""
    row = fetch_one(
        "SELECT is_superuser FROM users WHERE id = %s AND deleted_at IS NULL", (user_id,)
    )
    return row is not None and row["is_superuser"]


def get_email(user_id: int) -> str | None:
    """Raises NotFound."""
    row = _found(
        fetch_one("SELECT email FROM users WHERE id = %s AND deleted_at IS NULL", (user_id,))
    )
    return row["email"]


def replace_password_hash(user_id: int, old_hash: str, new_hash: str) -> None:
    """Only if the stored hash is still `old_hash`."""
    execute(
        "UPDATE users SET password_hash = %s WHERE id = %s AND password_hash = %s",
        (new_hash, user_id, old_hash),
    )


def lock_user(user_id: int, conn: Conn) -> LockedUser:
    """Until the transaction ends, no other can change the account. Raises NotFound."""
    return _found(
        fetch_one(
            """
            SELECT id, password_hash, status, is_superuser, email,
                   email_confirmed_at IS NOT NULL AS email_confirmed
            FROM users
            WHERE id = %s AND deleted_at IS NULL
            FOR UPDATE
            """,
            (user_id,),
            conn,
        )
    )


def lock_active_superusers(conn: Conn) -> list[int]:
    """The ids of all active superusers. Call it before any other user is locked. Then one of two
    transactions that demote superusers waits here for the other, and the last one cannot be
    demoted."""
    rows = fetch_all(
        """
        SELECT id
        FROM users
        WHERE is_superuser AND status = 1 AND deleted_at IS NULL
        ORDER BY id
        FOR UPDATE
        """,
        (),
        conn,
    )
    return [row["id"] for row in rows]


def get_user_profile(user_id: int, conn: Conn | None = None, reader_id: int = 0) -> UserProfile:
    """The whole profile, as `reader_id` sees it. Raises NotFound."""
    return _found(
        fetch_one(
            """
            SELECT id, user_name, first_name, last_name, middle_name, email,
                   email_confirmed_at IS NOT NULL AS email_confirmed, pending_email,
                   status, status = 1 AS is_active, is_superuser, created_at, updated_at,
                   followers_count, following_count,
                   (
                       SELECT count(*) > 0
                       FROM follows f
                       WHERE f.follower_id = %s AND f.followed_id = users.id
                   ) AS is_followed
            FROM users
            WHERE id = %s AND deleted_at IS NULL
            """,
            (reader_id, user_id),
            conn,
        )
    )


def update_user(user_id: int, dto: UserColumns, conn: Conn | None = None) -> User:
    """Changes the columns in `dto`. Raises InvalidRequest, NotFound, Conflict."""
    known: tuple[LiteralString, ...] = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    columns: list[LiteralString] = [column for column in known if column in dto]
    if not columns:
        raise InvalidRequest("No fields to update", code="no_fields_to_update")
    assignments: list[LiteralString] = [column + " = %s" for column in columns]
    values = {name: _as_text(value) for name, value in cast(dict[str, Any], dto).items()}
    try:
        return _found(
            fetch_one(
                f"""
                UPDATE users
                SET {", ".join(assignments)}, updated_at = now()
                WHERE id = %s AND deleted_at IS NULL
                RETURNING {PUBLIC_COLUMNS}
                """,
                (*(values[column] for column in columns), user_id),
                conn,
            )
        )
    except UniqueViolation as error:
        raise _taken(error) from error


def delete_user(user_id: int, conn: Conn | None = None) -> None:
    """The row stays for the posts. The trigger `tr__users__erase` overwrites all personal data in
    it, and the user name can be used again. Raises NotFound."""
    deleted = execute(
        "UPDATE users SET deleted_at = now() WHERE id = %s AND deleted_at IS NULL",
        (user_id,),
        conn,
    )
    if deleted == 0:
        raise NotFound("User not found", code="user_not_found")


def _as_text(value: Any) -> Any:
    """bcrypt gives a hash as bytes; the column is a text."""
    return value.decode() if isinstance(value, bytes) else value


def _found(row: Any) -> Any:
    if row is None:
        raise NotFound("User not found", code="user_not_found")
    return row


def _taken(error: UniqueViolation) -> Conflict:
    if constraint_of(error) == "idx__users__email":
        return Conflict("E-mail address already taken", code="email_taken")
    return Conflict("User already exists", code="user_exists")
