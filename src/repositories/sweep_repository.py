"""Whose turn it is to sweep, by a lock in PostgreSQL that ends with the transaction."""

from repositories.sql import Conn, fetch_one

# Any constant will do, so long as nobody else on this database uses it.
LOCK_KEY = 7_315_248_812


def take_turn(conn: Conn) -> bool:
    """False when somebody else is at it."""
    row = fetch_one("SELECT pg_try_advisory_xact_lock(%s) AS mine", (LOCK_KEY,), conn)
    return row["mine"]
