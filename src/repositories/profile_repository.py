"""Public profiles in PostgreSQL, as one reader sees them."""

from typing import Any, LiteralString

from dto.user_dto import User
from repositories.search import SCANNED_ROWS, like_pattern, needs_scan
from repositories.sql import fetch_all, fetch_one
from utils.errors import NotFound

# The reader's id is the parameter. A scalar sub-select is one index probe for each profile.
PROFILE_COLUMNS: LiteralString = """
    u.id, u.user_name, u.first_name, u.last_name, u.status, u.created_at, u.updated_at,
    u.followers_count, u.following_count,
    (SELECT count(*) > 0 FROM follows f WHERE f.follower_id = %s AND f.followed_id = u.id)
        AS is_followed
"""
NOT_BLOCKED: LiteralString = "u.id <> ALL (ARRAY(SELECT b.user_id FROM blocked_with(%s) b))"


def get_profile(user_id: int, reader_id: int) -> User:
    """Raises NotFound, also for somebody blocked."""
    return _found(
        fetch_one(
            f"""
            SELECT {PROFILE_COLUMNS}
            FROM users u
            WHERE u.id = %s AND u.deleted_at IS NULL AND {NOT_BLOCKED}
            """,
            (reader_id, user_id, reader_id),
        )
    )


def get_profile_by_name(user_name: str, reader_id: int) -> User:
    """Raises NotFound, also for somebody blocked."""
    return _found(
        fetch_one(
            f"""
            SELECT {PROFILE_COLUMNS}
            FROM users u
            WHERE u.user_name = %s AND u.deleted_at IS NULL AND {NOT_BLOCKED}
            """,
            (reader_id, user_name, reader_id),
        )
    )


def get_profiles(reader_id: int, limit: int, offset: int) -> list[User]:
    """Ordered by id, without who is blocked."""
    return fetch_all(
        f"""
        SELECT {PROFILE_COLUMNS}
        FROM users u
        WHERE u.deleted_at IS NULL AND {NOT_BLOCKED}
        ORDER BY u.id
        OFFSET %s
        LIMIT %s
        """,
        (reader_id, reader_id, offset, limit),
        may_lag=True,
    )


def search_profiles(
    search: str, reader_id: int, limit: int, offset: int, after_id: int = 0
) -> list[User]:
    """Whose user name or names contain the text, ordered by id, without who is blocked. A search
    that no index can answer looks at so many accounts: see `get_end_of_scan`."""
    bound: LiteralString = f"LIMIT {SCANNED_ROWS}" if needs_scan(search) else ""
    return fetch_all(
        f"""
        SELECT {PROFILE_COLUMNS}
        FROM (
            SELECT id, user_name, first_name, last_name, status, created_at, updated_at,
                   followers_count, following_count
            FROM users
            WHERE deleted_at IS NULL AND id > %s
            ORDER BY id
            {bound}
        ) u
        WHERE u.user_name || ' ' || u.first_name || ' ' || u.last_name ILIKE %s AND {NOT_BLOCKED}
        ORDER BY u.id
        OFFSET %s
        LIMIT %s
        """,
        (reader_id, after_id, like_pattern(search), reader_id, offset, limit),
        prepare=False,  # planned for its own words
        may_lag=True,
    )


def get_end_of_scan(after_id: int) -> int | None:
    """The id of the last account that a search without an index looks at; None when it comes to the
    end of all."""
    row = fetch_one(
        f"""
        SELECT id
        FROM users
        WHERE deleted_at IS NULL AND id > %s
        ORDER BY id
        OFFSET {SCANNED_ROWS} - 1
        LIMIT 1
        """,
        (after_id,),
    )
    return row["id"] if row else None


def _found(row: Any) -> Any:
    if row is None:
        raise NotFound("User not found", code="user_not_found")
    return row
