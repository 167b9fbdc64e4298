"""PostgreSQL refuses to run as root: whom it runs as instead, and programs that user can reach."""

# ruff: noqa: S603 (own commands, no shell)
import importlib.metadata
import logging
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from config.embedded_postgres_cluster import Account, EmbeddedPostgresError, process_options

PROGRAM_COPIES = Path("/var/lib/gophertalk")

logger = logging.getLogger(__name__)


def choose_account(folder: Path) -> Account | None:
    """Whom the server runs as: us, or if we are root, the data's owner or a service account."""
    us = os.geteuid()
    owner = folder.stat() if folder.exists() else None
    if owner and (owner.st_uid == 0 or us not in (0, owner.st_uid)):
        raise EmbeddedPostgresError(
            f"{folder} belongs to user {owner.st_uid}, who cannot run its PostgreSQL from here: "
            "start as the user who made it, or give it to an ordinary user with `chown -R`."
        )
    if us != 0:
        return None
    if owner:
        return Account(owner.st_uid, owner.st_gid)
    candidates = [lambda: pwd.getpwuid(folder.parents[1].stat().st_uid)]
    candidates += [lambda name=name: pwd.getpwnam(name) for name in ("postgres", "nobody")]
    for candidate in candidates:
        with suppress(KeyError):
            entry = candidate()
            if entry.pw_uid != 0:
                return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`: "
        "start as an ordinary user."
    )


def programs_for(account: Account | None, programs: Path) -> Path:
    """The wheel's programs, or root's copy of them if the account cannot get at the wheel."""
    if account is None:
        return programs
    try:
        command = [programs / "postgres", "--version"]
        subprocess.run(command, check=True, capture_output=True, **process_options(account))
    except (OSError, subprocess.CalledProcessError):
        return _copy_programs(programs)
    return programs


def _copy_programs(programs: Path) -> Path:
    package = programs.parents[1]
    copy = PROGRAM_COPIES / importlib.metadata.version("embedded-postgres")
    if not copy.exists():
        logger.warning("Copying PostgreSQL to %s: its user has no access to %s", copy, package)
        PROGRAM_COPIES.mkdir(parents=True, exist_ok=True)
        PROGRAM_COPIES.chmod(0o755)
        draft = Path(tempfile.mkdtemp(dir=PROGRAM_COPIES))
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, draft / part.name, ignore=shutil.ignore_patterns("include"))
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)
        draft.rename(copy)
    return copy / programs.relative_to(package.parent)
