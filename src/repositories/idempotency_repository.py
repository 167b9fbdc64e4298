"""Idempotency keys in PostgreSQL: what may be sent twice, and the answer that it got."""

from typing import Any

from repositories.sql import Conn, execute, fetch_one
from utils.context import IdempotencyKey


def claim_key(key: IdempotencyKey, request_hash: bytes, conn: Conn) -> bool:
    """True when the key was not used within the last day. It waits for another transaction that
    uses the same key."""
    claimed = execute(
        """
        INSERT INTO idempotency_keys AS k (user_id, key, endpoint, request_hash)
        VALUES (%s, %s, %s, %s)
        ON CONFLICT ON CONSTRAINT pk__idempotency_keys DO UPDATE
        SET endpoint = EXCLUDED.endpoint,
            request_hash = EXCLUDED.request_hash,
            answer = NULL,
            order_id = NULL,
            created_at = now()
        WHERE k.created_at < now() - interval '1 day'
        """,
        (key.user_id, key.text, key.endpoint, request_hash),
        conn,
    )
    return claimed == 1


def get_use(key: IdempotencyKey, conn: Conn) -> dict[str, Any]:
    """`endpoint`, `request_hash` and `answer` of the request that it was used for."""
    return fetch_one(
        """
        SELECT endpoint, request_hash, answer
        FROM idempotency_keys
        WHERE user_id = %s AND key = %s
        """,
        (key.user_id, key.text),
        conn,
    )


def store_answer(key: IdempotencyKey, answer: str, conn: Conn) -> None:
    """To the request that the key was claimed for."""
    execute(
        "UPDATE idempotency_keys SET answer = %s WHERE user_id = %s AND key = %s",
        (answer, key.user_id, key.text),
        conn,
    )


def delete_expired_keys(conn: Conn) -> int:
    """An hour later than they expire: a request that has found one may still be running."""
    return execute(
        "DELETE FROM idempotency_keys WHERE created_at < now() - interval '25 hours'", (), conn
    )
