"""Who follows whom, in PostgreSQL. Triggers keep the counters of both profiles exact."""

from psycopg.errors import CheckViolation, ForeignKeyViolation, UniqueViolation

from dto.user_dto import RelatedUser
from repositories.profile_repository import NOT_BLOCKED, PROFILE_COLUMNS
from repositories.sql import Conn, execute, fetch_all, fetch_one
from utils.errors import Conflict, NotFound


def follow(follower_id: int, followed_id: int, conn: Conn | None = None) -> None:
    """Raises NotFound, also for somebody blocked, and Conflict when done already, or of oneself."""
    try:
        execute(
            "INSERT INTO follows (follower_id, followed_id) VALUES (%s, %s)",
            (follower_id, followed_id),
            conn,
        )
    except CheckViolation as error:
        raise Conflict("You cannot follow yourself", code="not_yourself") from error
    except UniqueViolation as error:
        raise Conflict("User already followed", code="user_already_followed") from error
    except ForeignKeyViolation as error:
        raise NotFound("User not found", code="user_not_found") from error


def unfollow(follower_id: int, followed_id: int) -> None:
    """Locks both users first, as the trigger does before a follow: so the two do not wait for each
    other. Raises NotFound when there is nothing to end."""
    ended = execute(
        """
        DELETE FROM follows
        USING lock_users(ARRAY[%s, %s]::bigint[])
        WHERE follower_id = %s AND followed_id = %s
        """,
        (follower_id, followed_id, follower_id, followed_id),
    )
    if ended == 0:
        raise NotFound("User not followed", code="user_not_followed")


def lock_all_of(user_id: int, conn: Conn) -> None:
    """Locks the user, and all whose counters change when the account goes, until the transaction
    ends. The lower id first, as the triggers do: so none waits for another in a circle."""
    execute(
        """
        SELECT lock_users(ARRAY(
            SELECT %s::bigint
            UNION ALL
            SELECT followed_id FROM follows WHERE follower_id = %s
            UNION ALL
            SELECT follower_id FROM follows WHERE followed_id = %s
        ))
        """,
        (user_id, user_id, user_id),
        conn,
    )


def is_followed(followed_id: int, follower_id: int) -> bool:
    row = fetch_one(
        """
        SELECT count(*) > 0 AS is_followed
        FROM follows
        WHERE follower_id = %s AND followed_id = %s
        """,
        (follower_id, followed_id),
    )
    return row["is_followed"]


def get_followers(
    user_id: int, reader_id: int, after_id: int | None, limit: int
) -> list[RelatedUser]:
    """The newest first, without who is blocked with the reader. `after_id`: the `place` of
    the last one of the page before."""
    return fetch_all(
        f"""
        SELECT {PROFILE_COLUMNS}, r.id AS place
        FROM follows r
        JOIN users u ON u.id = r.follower_id
        WHERE r.followed_id = %s AND r.id < coalesce(%s, 9223372036854775807) AND {NOT_BLOCKED}
        ORDER BY r.id DESC
        LIMIT %s
        """,
        (reader_id, user_id, after_id, reader_id, limit),
    )


def get_following(
    user_id: int, reader_id: int, after_id: int | None, limit: int
) -> list[RelatedUser]:
    """Whom this user follows; as `get_followers`."""
    return fetch_all(
        f"""
        SELECT {PROFILE_COLUMNS}, r.id AS place
        FROM follows r
        JOIN users u ON u.id = r.followed_id
        WHERE r.follower_id = %s AND r.id < coalesce(%s, 9223372036854775807) AND {NOT_BLOCKED}
        ORDER BY r.id DESC
        LIMIT %s
        """,
        (reader_id, user_id, after_id, reader_id, limit),
    )
