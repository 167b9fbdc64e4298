"""The lock for sweeping: one process at a time, until its transaction ends."""

from repositories.sql import Conn, fetch_one

# Any number that no other program uses on this database.
LOCK_KEY = 7_315_248_812


def try_lock(conn: Conn) -> bool:
    """False when another process has the lock."""
    row = fetch_one("SELECT pg_try_advisory_xact_lock(%s) AS locked", (LOCK_KEY,), conn)
    return row["locked"]
