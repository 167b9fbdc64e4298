"""Why a program cannot start, in one sentence with its remedy."""

import getpass
import os
import re
from pathlib import Path
from typing import Any

import psycopg
from psycopg.errors import DiskFull, LockNotAvailable, ReadOnlySqlTransaction

from packages.embedded_postgres import (
    EmbeddedPostgresError,
    OutOfSpaceError,
    ProgramsMissingError,
)

# The server answered, and will accept connections soon.
TEMPORARY = ("starting up", "shutting down", "recovery", "too many", "not yet accepting")
# How a server's own message begins, in any language: severity, colon, two blanks.
SERVER_MESSAGE = re.compile(r"failed: (\w+):  (.+)")

# What the server or its client library says, and what to do about it.
REMEDIES = (
    ("password authentication failed", "Correct DB_USER and DB_PASSWORD."),
    ("no password supplied", "Set DB_PASSWORD."),
    ("role .* does not exist", "Correct DB_USER, or create it: CREATE USER {user} PASSWORD '...'"),
    (
        "database .* does not exist",
        "Correct DB_NAME, or create it: CREATE DATABASE {dbname} OWNER {user}",
    ),
    ("no pg_hba.conf entry", "Allow {user} to connect from here, in its pg_hba.conf."),
    (
        "permission denied",
        "Give the database to the user: ALTER DATABASE {dbname} OWNER TO {user}",
    ),
    (
        "lock timeout",
        "Other sessions use the tables that must change: end the long ones (pg_stat_activity).",
    ),
    ("read-only transaction", "Correct DB_HOST: it must name the primary."),
)
OTHER_FOLDER = "or name another folder in DATA_DIR."

# Limits of the machine: what Python or PostgreSQL says when they are reached.
LIMITS = (
    (
        "can't start new thread|Resource temporarily unavailable",
        "No more threads or processes can be started. Raise the limit (`ulimit -u`; TasksMax in a "
        "unit of systemd; `--pids-limit` of a container), or free some memory.",
    ),
    (
        "MemoryError|Cannot allocate memory",
        "There is not enough memory. Free some, or raise the limit (`ulimit -v`).",
    ),
    (
        "Too many open files|insufficient file descriptors",
        "Too few files may be open at once. Raise the limit (`ulimit -n`).",
    ),
    (
        "No usable temporary directory",
        "No temporary folder can be written. Name one of your own in TMPDIR.",
    ),
)


class StartupError(Exception):
    """The program cannot start; the message says why and what to do, and is fit to print."""


class DatabaseUnavailable(StartupError):
    """The database cannot be used now, and perhaps soon."""


def connection_fault(error: psycopg.OperationalError, target: dict[str, Any]) -> StartupError:
    """DatabaseUnavailable if waiting may help. `target`: psycopg's keyword arguments."""
    lines = str(error).strip().splitlines()
    said = SERVER_MESSAGE.search(str(error))
    if said and said[1] == "FATAL" and not any(words in said[2] for words in TEMPORARY):
        return _refusal(said[2], target)
    if "no password supplied" in str(error):
        return _refusal("no password supplied", target)
    reason = (said[2] if said else lines[0].rpartition(" failed: ")[2]) if lines else "?"
    return DatabaseUnavailable(
        f"{_name(target)} does not answer: {reason}. Start it, or correct DB_HOST and DB_PORT."
    )


def migration_fault(error: psycopg.Error, target: dict[str, Any]) -> StartupError:
    """The server accepted the connection but not the tables. DatabaseUnavailable if waiting may
    help: a full disk gets space again, a lock on a table ends, a standby becomes the primary."""
    fault = _refusal(str(error).splitlines()[0], target)
    temporary = isinstance(error, DiskFull | LockNotAvailable | ReadOnlySqlTransaction)
    return DatabaseUnavailable(str(fault)) if temporary else fault


def machine_fault(error: BaseException) -> str | None:
    """The sentence, if the cause is a limit of the machine or of the account."""
    return next((said for words, said in LIMITS if re.search(words, repr(error))), None)


def embedded_server_fault(error: EmbeddedPostgresError | OSError, folder: Path) -> StartupError:
    """Our own PostgreSQL, whose data are in `folder` (DATA_DIR), does not start."""
    if fault := machine_fault(error):
        return StartupError(fault)
    if isinstance(error, OSError):
        return StartupError(data_folder_fault(error, folder))
    remedy = ""
    if isinstance(error, OutOfSpaceError):
        remedy = f" Free some space, {OTHER_FOLDER}"
    elif isinstance(error, ProgramsMissingError):
        remedy = (
            " Run `pip install --force-reinstall -r requirements.txt`, "
            "or set DB_HOST to use another PostgreSQL."
        )
    return StartupError(f"{error}{remedy}")


def data_folder_fault(error: OSError, folder: Path) -> str:
    """The fault may be above the folder (DATA_DIR) or inside it: `error` names the place."""
    if fault := machine_fault(error):
        return fault
    remedy = "Correct that"
    if isinstance(error, PermissionError):
        remedy = f"Give it to the user {_this_user()}"
    return f"GopherTalk cannot work in {folder}: {error}. {remedy}, {OTHER_FOLDER}"


def _this_user() -> str:
    """The number of a user who has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _refusal(reason: str, target: dict[str, Any]) -> StartupError:
    remedies = [remedy for words, remedy in REMEDIES if re.search(words, reason)]
    remedy = "".join(remedies[:1]).format(**target)
    return StartupError(f"{_name(target)} refuses: {reason}. {remedy}".rstrip())


def _name(target: dict[str, Any]) -> str:
    return f"PostgreSQL at {target['host']}:{target['port']}"
