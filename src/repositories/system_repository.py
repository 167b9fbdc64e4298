"""Whether PostgreSQL is there at all."""

from repositories.sql import fetch_one


def select_one() -> None:
    """Raises when the database does not answer."""
    fetch_one("SELECT 1 AS one")
