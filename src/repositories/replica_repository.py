"""How far the primary has written, and how far a replica follows."""

from contextlib import suppress

from psycopg import Error

from config import db
from repositories.sql import fetch_one

CONNECTION_SECONDS = 0.2


def primary_position() -> str:
    """In its log. Raises Unavailable, also when it is no primary any more."""
    return fetch_one("SELECT pg_current_wal_lsn()::text AS position")["position"]


def has_applied(replica: db.BoundedPool, position: str) -> bool:
    """False also when it cannot be asked, and when it is no replica any more: a server that was
    the primary once may have a history of its own."""
    with suppress(Error), replica.connection(CONNECTION_SECONDS) as conn:
        row = fetch_one(
            """
            SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s::pg_lsn AS yes
            """,
            (position,),
            conn,
        )
        return row["yes"]
    return False
