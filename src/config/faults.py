"""Why the database does not let us in, in a sentence with its remedy."""

import re
from typing import Any

import psycopg
from psycopg.errors import DiskFull, ReadOnlySqlTransaction

# The server answered, but will not let us in for a moment.
PASSING = ("starting up", "shutting down", "recovery", "too many", "not yet accepting")
# How a server's own words begin, whatever its language: severity, colon, two blanks.
REFUSAL = re.compile(r"failed: (\w+):  (.+)")

# What the server or its client library says, and what to do about it.
REMEDIES = (
    ("password authentication failed", "Correct DB_USER and DB_PASSWORD."),
    ("no password supplied", "Set DB_PASSWORD."),
    ("role .* does not exist", "Correct DB_USER, or create it: CREATE USER {user} PASSWORD '...'"),
    (
        "database .* does not exist",
        "Correct DB_NAME, or create it: CREATE DATABASE {dbname} OWNER {user}",
    ),
    ("no pg_hba.conf entry", "Let {user} in from here, in its pg_hba.conf."),
    (
        "permission denied",
        "Give it to the user: ALTER DATABASE {dbname} OWNER TO {user}",
    ),
    ("read-only transaction", "Correct DB_HOST: it must name the primary."),
)


class StartupError(Exception):
    """The app cannot start; the message says why and what to do, and is fit to print."""


class DatabaseAway(StartupError):
    """The database cannot be reached; it may be there soon."""


def connection_fault(error: psycopg.OperationalError, target: dict[str, Any]) -> StartupError:
    """DatabaseAway if waiting may help. `target` is what was connected to, as psycopg takes it."""
    lines = str(error).strip().splitlines()
    refusal = REFUSAL.search(str(error))
    if refusal and refusal[1] == "FATAL" and not any(words in refusal[2] for words in PASSING):
        return _refusal(refusal[2], target)
    if "no password supplied" in str(error):
        return _refusal("no password supplied", target)
    reason = (refusal[2] if refusal else lines[0].rpartition(" failed: ")[2]) if lines else "?"
    return DatabaseAway(
        f"{_name(target)} does not answer: {reason}. Start it, or correct DB_HOST and DB_PORT."
    )


def migration_fault(error: psycopg.Error, target: dict[str, Any]) -> StartupError:
    """The server let us in, and not make the tables. DatabaseAway if waiting may help: a disk
    gets room again, a standby becomes the primary."""
    fault = _refusal(str(error).splitlines()[0], target)
    passing = isinstance(error, DiskFull | ReadOnlySqlTransaction)
    return DatabaseAway(str(fault)) if passing else fault


def _refusal(reason: str, target: dict[str, Any]) -> StartupError:
    remedies = [remedy for words, remedy in REMEDIES if re.search(words, reason)]
    remedy = "".join(remedies[:1]).format(**target)
    return StartupError(f"{_name(target)} refuses: {reason}. {remedy}".rstrip())


def _name(target: dict[str, Any]) -> str:
    return f"PostgreSQL at {target['host']}:{target['port']}"
