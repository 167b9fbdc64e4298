"""Mutes and blocks in PostgreSQL. What they hide is left out by the statements that read."""

from psycopg.errors import CheckViolation, UniqueViolation

from dto.user_dto import RelatedUser
from repositories.profile_repository import NOT_BLOCKED, PROFILE_COLUMNS
from repositories.sql import Conn, execute, fetch_all
from utils.errors import Conflict, NotFound


def mute(muter_id: int, muted_id: int, conn: Conn | None = None) -> None:
    """Raises NotFound, also for somebody blocked, and Conflict when done already, or of oneself."""
    try:
        muted = execute(
            """
            INSERT INTO mutes (muter_id, muted_id)
            SELECT muter.id, u.id
            FROM (SELECT %s::bigint AS id) muter
            JOIN users u ON u.id = %s AND u.deleted_at IS NULL
            WHERE u.id NOT IN (SELECT b.user_id FROM blocked_with(muter.id) b)
            """,
            (muter_id, muted_id),
            conn,
        )
    except CheckViolation as error:
        raise Conflict("You cannot mute yourself", code="not_yourself") from error
    except UniqueViolation as error:
        raise Conflict("User already muted", code="user_already_muted") from error
    if muted == 0:
        raise NotFound("User not found", code="user_not_found")


def unmute(muter_id: int, muted_id: int) -> None:
    """Raises NotFound when there is nothing to end."""
    ended = execute("DELETE FROM mutes WHERE muter_id = %s AND muted_id = %s", (muter_id, muted_id))
    if ended == 0:
        raise NotFound("User not muted", code="user_not_muted")


def block(blocker_id: int, blocked_id: int, conn: Conn | None = None) -> None:
    """The trigger `tr__blocks__end_follows` ends the follows between the two. One may block who
    blocks oneself. Raises NotFound, and Conflict when done already, or of oneself."""
    try:
        blocked = execute(
            """
            INSERT INTO blocks (blocker_id, blocked_id)
            SELECT %s, id
            FROM users
            WHERE id = %s AND deleted_at IS NULL
            """,
            (blocker_id, blocked_id),
            conn,
        )
    except CheckViolation as error:
        raise Conflict("You cannot block yourself", code="not_yourself") from error
    except UniqueViolation as error:
        raise Conflict("User already blocked", code="user_already_blocked") from error
    if blocked == 0:
        raise NotFound("User not found", code="user_not_found")


def unblock(blocker_id: int, blocked_id: int) -> None:
    """Raises NotFound when there is nothing to end."""
    ended = execute(
        "DELETE FROM blocks WHERE blocker_id = %s AND blocked_id = %s", (blocker_id, blocked_id)
    )
    if ended == 0:
        raise NotFound("User not blocked", code="user_not_blocked")


def get_muted(muter_id: int, after_id: int | None, limit: int) -> list[RelatedUser]:
    """The newest first, without who is blocked. `after_id`: the `place` of the last one of
    the page before."""
    return fetch_all(
        f"""
        SELECT {PROFILE_COLUMNS}, r.id AS place
        FROM mutes r
        JOIN users u ON u.id = r.muted_id
        WHERE r.muter_id = %s AND r.id < coalesce(%s, 9223372036854775807) AND {NOT_BLOCKED}
        ORDER BY r.id DESC
        LIMIT %s
        """,
        (muter_id, muter_id, after_id, muter_id, limit),
    )


def get_blocked(blocker_id: int, after_id: int | None, limit: int) -> list[RelatedUser]:
    """Whom this user blocks, the newest first, as `get_muted`."""
    return fetch_all(
        f"""
        SELECT {PROFILE_COLUMNS}, r.id AS place
        FROM blocks r
        JOIN users u ON u.id = r.blocked_id
        WHERE r.blocker_id = %s AND r.id < coalesce(%s, 9223372036854775807)
        ORDER BY r.id DESC
        LIMIT %s
        """,
        (blocker_id, blocker_id, after_id, limit),
    )
