"""Whether PostgreSQL would do its work now, for this version of the code."""

from repositories.sql import Conn, fetch_one


def takes_writes(conn: Conn | None = None) -> bool:
    """False on a standby, and where an administrator allows reads only. Raises Unavailable."""
    row = fetch_one("SELECT current_setting('transaction_read_only') = 'off' AS yes", (), conn)
    return row["yes"]


def tables_fit(code_version: int, conn: Conn | None = None) -> bool:
    """False when the tables lack a migration of the code, or have one that it does not work with.

    `code_version` is the number of the newest migration that the code brings. Raises Unavailable.
    """
    row = fetch_one(
        """
        SELECT max(version) >= %s AND max(coalesce(works_with, version))
            FILTER (WHERE version > %s) > %s IS NOT TRUE AS yes
        FROM schema_migrations
        """,
        (code_version, code_version, code_version),
        conn,
    )
    return bool(row["yes"])
