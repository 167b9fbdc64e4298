"""Sessions and their refresh tokens in PostgreSQL. Only the SHA-256 of a token is stored."""

from typing_extensions import TypedDict

from dto.auth_dto import Session
from repositories.sql import Conn, execute, fetch_all, fetch_one
from utils.digest import sha256_of
from utils.errors import NotFound


class Access(TypedDict):
    """The user of a session, with their permissions."""

    user_name: str
    is_superuser: bool
    permissions: list[str]


class SpentToken(TypedDict):
    """`reused`: it was spent more than ten seconds ago, so it is not another tab of the browser."""

    session_id: str
    user_id: int
    reused: bool


def create_session(
    session_id: str, user_id: int, refresh_token: str, lifetime_seconds: int
) -> None:
    """The session and its first refresh token."""
    execute(
        """
        WITH session AS (
            INSERT INTO sessions (id, user_id, expires_at)
            VALUES (%s, %s, now() + make_interval(secs => %s))
            RETURNING id, expires_at
        )
        INSERT INTO refresh_tokens (session_id, expires_at, token_hash)
        SELECT id, expires_at, %s
        FROM session
        """,
        (session_id, user_id, lifetime_seconds, sha256_of(refresh_token)),
    )


def get_access(session_id: str, user_id: int) -> Access | None:
    """None when the session is over, or its user is deleted or deactivated. The permissions are
    those of the user's roles and of the roles `user` and `guest`."""
    return fetch_one(
        """
        SELECT u.user_name, u.is_superuser,
               ARRAY(
                   SELECT DISTINCT p.resource || ':' || p.action
                   FROM role_permissions rp
                   JOIN permissions p ON p.id = rp.permission_id
                   WHERE rp.role_id IN (
                       SELECT ur.role_id FROM user_roles ur WHERE ur.user_id = u.id
                       UNION ALL
                       SELECT r.id FROM roles r WHERE r.name IN ('guest', 'user')
                   )
               ) AS permissions
        FROM sessions s
        JOIN users u ON u.id = s.user_id
        WHERE s.id = %s AND s.user_id = %s AND s.ended_at IS NULL AND s.expires_at > now()
          AND u.status = 1 AND u.deleted_at IS NULL
        """,
        (session_id, user_id),
    )


def get_guest_permissions() -> list[str]:
    """Those of the role `guest`."""
    rows = fetch_all(
        """
        SELECT p.resource || ':' || p.action AS name
        FROM roles r
        JOIN role_permissions rp ON rp.role_id = r.id
        JOIN permissions p ON p.id = rp.permission_id
        WHERE r.name = 'guest'
        ORDER BY name
        """
    )
    return [row["name"] for row in rows]


def is_recent(session_id: str, seconds: int) -> bool:
    """Whether its login was at most so many seconds ago."""
    row = fetch_one(
        "SELECT 1 FROM sessions WHERE id = %s AND created_at > now() - make_interval(secs => %s)",
        (session_id, seconds),
    )
    return row is not None


def spend_refresh_token(token: str, conn: Conn) -> SpentToken | None:
    """Marks the token as spent; None when it is unknown or expired, or its session is over."""
    return fetch_one(
        """
        UPDATE refresh_tokens t
        SET spent_at = coalesce(t.spent_at, now())
        FROM sessions s
        JOIN users u ON u.id = s.user_id
        WHERE t.token_hash = %s AND t.expires_at > now()
          AND s.id = t.session_id AND s.ended_at IS NULL
          AND u.status = 1 AND u.deleted_at IS NULL
        RETURNING s.id::text AS session_id, s.user_id,
                  t.spent_at < now() - interval '10 seconds' AS reused
        """,
        (sha256_of(token),),
        conn,
    )


def add_refresh_token(
    session_id: str, refresh_token: str, lifetime_seconds: int, conn: Conn
) -> None:
    """The session's next refresh token. The session expires with its newest token."""
    execute(
        """
        WITH session AS (
            UPDATE sessions
            SET last_used_at = now(), expires_at = now() + make_interval(secs => %s)
            WHERE id = %s
            RETURNING id, expires_at
        )
        INSERT INTO refresh_tokens (session_id, expires_at, token_hash)
        SELECT id, expires_at, %s
        FROM session
        """,
        (lifetime_seconds, session_id, sha256_of(refresh_token)),
        conn,
    )


def get_sessions(user_id: int, current_id: str, limit: int, offset: int) -> list[Session]:
    """Those that have not ended or expired, the newest first."""
    return fetch_all(
        """
        SELECT id::text AS id, created_at, last_used_at, expires_at, id = %s AS current
        FROM sessions
        WHERE user_id = %s AND ended_at IS NULL AND expires_at > now()
        ORDER BY created_at DESC, id
        OFFSET %s
        LIMIT %s
        """,
        (current_id, user_id, offset, limit),
    )


def end_session(session_id: str, user_id: int) -> None:
    """Raises NotFound when the user has no such session, or it is over."""
    ended = execute(
        """
        UPDATE sessions
        SET ended_at = now()
        WHERE id = %s AND user_id = %s AND ended_at IS NULL AND expires_at > now()
        """,
        (session_id, user_id),
    )
    if ended == 0:
        raise NotFound("Session not found", code="session_not_found")


def end_sessions(user_id: int, except_id: str | None = None, conn: Conn | None = None) -> None:
    """All sessions of the user, or all but one."""
    execute(
        """
        UPDATE sessions
        SET ended_at = now()
        WHERE user_id = %s AND id IS DISTINCT FROM %s::uuid AND ended_at IS NULL
        """,
        (user_id, except_id),
        conn,
    )


def delete_expired_refresh_tokens(conn: Conn) -> int:
    """Returns their number."""
    return execute("DELETE FROM refresh_tokens WHERE expires_at <= now()", (), conn)


def delete_expired_sessions(conn: Conn) -> int:
    """With their refresh tokens. Returns the number of sessions."""
    return execute("DELETE FROM sessions WHERE expires_at <= now()", (), conn)
