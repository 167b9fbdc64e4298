"""Short-lived tokens in PostgreSQL. Only the SHA-256 of a token is stored."""

from typing import Literal

from typing_extensions import TypedDict

from repositories.sql import Conn, execute, fetch_one
from utils.digest import sha256_of

UserPurpose = Literal["password_reset", "email_confirm"]


class SessionOfTicket(TypedDict):
    session_id: str
    user_id: int


def add_token(token: str, ttl_minutes: int) -> None:
    """A token of the token service, which has no user."""
    execute(
        """
        INSERT INTO tokens (token_hash, purpose, expires_at)
        VALUES (%s, 'app', now() + make_interval(mins => %s))
        """,
        (sha256_of(token), ttl_minutes),
    )


def add_ticket(ticket: str, session_id: str, ttl_seconds: int) -> None:
    """A ticket for a stream of this session."""
    execute(
        """
        INSERT INTO tokens (token_hash, purpose, session_id, expires_at)
        VALUES (%s, 'stream', %s, now() + make_interval(secs => %s))
        """,
        (sha256_of(ticket), session_id, ttl_seconds),
    )


def use_ticket(ticket: str) -> SessionOfTicket | None:
    """Deletes the ticket. None when it is not valid, or its session is over."""
    return fetch_one(
        """
        DELETE FROM tokens t
        USING sessions s
        WHERE t.token_hash = %s AND t.purpose = 'stream' AND t.expires_at > now()
          AND s.id = t.session_id AND s.ended_at IS NULL
        RETURNING s.id::text AS session_id, s.user_id
        """,
        (sha256_of(ticket),),
    )


def check_token(token: str) -> bool:
    """Whether the token service issued it and it has not expired; an expired one is deleted."""
    row = fetch_one(
        """
        WITH expired AS (
            DELETE FROM tokens
            WHERE token_hash = %s AND purpose = 'app' AND expires_at <= now()
        )
        SELECT EXISTS (
            SELECT FROM tokens
            WHERE token_hash = %s AND purpose = 'app' AND expires_at > now()
        ) AS is_valid
        """,
        (sha256_of(token), sha256_of(token)),
    )
    return row["is_valid"]


def delete_expired_tokens(conn: Conn | None = None) -> int:
    """Of all purposes. Returns their number."""
    return execute("DELETE FROM tokens WHERE expires_at <= now()", (), conn)


def get_user_nonce(user_id: int, purpose: UserPurpose, conn: Conn) -> bytes | None:
    """What the user's present token for this purpose was made from; None when there is no good
    one, or one that was not made from a nonce."""
    row = fetch_one(
        """
        SELECT nonce
        FROM tokens
        WHERE user_id = %s AND purpose = %s AND expires_at > now()
        """,
        (user_id, purpose),
        conn,
    )
    return row["nonce"] if row else None


def set_user_token(
    user_id: int,
    purpose: UserPurpose,
    token: str,
    ttl_minutes: int,
    conn: Conn,
    nonce: bytes | None = None,
) -> None:
    """A user has one token for each purpose. Set again, the same one is valid for longer; another
    one replaces it."""
    execute(
        """
        INSERT INTO tokens (user_id, purpose, token_hash, nonce, expires_at)
        VALUES (%s, %s, %s, %s, now() + make_interval(mins => %s))
        ON CONFLICT ON CONSTRAINT uq__tokens__user_id__purpose DO UPDATE
        SET token_hash = excluded.token_hash,
            nonce = excluded.nonce,
            created_at = now(),
            expires_at = excluded.expires_at
        """,
        (user_id, purpose, sha256_of(token), nonce, ttl_minutes),
        conn,
    )


def is_valid(token: str, purpose: UserPurpose) -> bool:
    """The token can be used afterwards."""
    row = fetch_one(
        """
        SELECT EXISTS (
            SELECT FROM tokens
            WHERE token_hash = %s AND purpose = %s AND expires_at > now()
        ) AS is_valid
        """,
        (sha256_of(token), purpose),
    )
    return row["is_valid"]


def use_user_token(token: str, purpose: UserPurpose, conn: Conn) -> int | None:
    """Deletes the token. Returns the id of its user, None when it is not valid."""
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
