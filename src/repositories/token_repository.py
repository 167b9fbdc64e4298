"""Short-lived tokens in PostgreSQL, as SHA-256 alone."""

from typing import Literal

from repositories.sql import Conn, execute, fetch_one
from utils.digest import sha256_of

UserPurpose = Literal["password_reset", "email_confirm"]


def add_token(token: str, minutes: int) -> None:
    """For the token service; belongs to nobody."""
    execute(
        """
        INSERT INTO tokens (token_hash, purpose, expires_at)
        VALUES (%s, 'app', now() + make_interval(mins => %s))
        """,
        (sha256_of(token), minutes),
    )


def check_token(token: str) -> bool:
    """Whether the token service issued it and it is good; an expired one is removed."""
    row = fetch_one(
        """
        WITH expired AS (
            DELETE FROM tokens
            WHERE token_hash = %s AND purpose = 'app' AND expires_at <= now()
        )
        SELECT EXISTS (
            SELECT FROM tokens
            WHERE token_hash = %s AND purpose = 'app' AND expires_at > now()
        ) AS good
        """,
        (sha256_of(token), sha256_of(token)),
    )
    return row["good"]


def delete_expired_tokens(conn: Conn | None = None) -> int:
    """Of every purpose; returns how many."""
    return execute("DELETE FROM tokens WHERE expires_at <= now()", (), conn)


def set_user_token(
    user_id: int, purpose: UserPurpose, token: str, minutes: int, conn: Conn
) -> None:
    """The user's one token for this purpose; the one before it is worth nothing from now on."""
    execute(
        """
        INSERT INTO tokens (user_id, purpose, token_hash, expires_at)
        VALUES (%s, %s, %s, now() + make_interval(mins => %s))
        ON CONFLICT ON CONSTRAINT uq__tokens__user_id__purpose DO UPDATE
        SET token_hash = excluded.token_hash,
            created_at = now(),
            expires_at = excluded.expires_at
        """,
        (user_id, purpose, sha256_of(token), minutes),
        conn,
    )


def is_good(token: str, purpose: UserPurpose) -> bool:
    """Without using it up."""
    row = fetch_one(
        """
        SELECT EXISTS (
            SELECT FROM tokens
            WHERE token_hash = %s AND purpose = %s AND expires_at > now()
        ) AS good
        """,
        (sha256_of(token), purpose),
    )
    return row["good"]


def use_user_token(token: str, purpose: UserPurpose, conn: Conn) -> int | None:
    """Use it up; the id of its user, or None when it is not good (any more)."""
    row = fetch_one(
        """
        DELETE FROM tokens t
        USING users u
        WHERE t.token_hash = %s AND t.purpose = %s AND t.expires_at > now()
          AND u.id = t.user_id AND u.status = 1 AND u.deleted_at IS NULL
        RETURNING t.user_id
        """,
        (sha256_of(token), purpose),
        conn,
    )
    return row["user_id"] if row else None
