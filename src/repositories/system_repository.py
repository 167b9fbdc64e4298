"""Whether PostgreSQL would do its work now."""

from repositories.sql import fetch_one


def takes_writes() -> bool:
    """False on a standby, and where an administrator allows reads only. Raises Unavailable."""
    row = fetch_one("SELECT current_setting('transaction_read_only') = 'off' AS takes_writes")
    return row["takes_writes"]
