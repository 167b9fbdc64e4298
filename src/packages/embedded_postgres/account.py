"""The user that PostgreSQL runs as when root starts it, because it refuses to run as root."""

# ruff: noqa: S603 (own commands, no shell)
import importlib.metadata
import logging
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from packages.embedded_postgres.cluster import Account, EmbeddedPostgresError, process_options

PROGRAM_COPIES = Path("/var/lib")

logger = logging.getLogger(__name__)


def choose_account(folder: Path) -> Account | None:
    """None if it is the present user; for root, the owner of the cluster `folder`, else the owner
    of the folder around the data root, else a service account.

    `folder` need not exist.
    """
    owner = folder.stat() if folder.exists() else None
    if owner and (owner.st_uid == 0 or os.geteuid() not in (0, owner.st_uid)):
        raise EmbeddedPostgresError(
            f"{folder} belongs to user {owner.st_uid}, and cannot be served by user "
            f"{os.geteuid()}: start as its owner, or `chown -R` it to an ordinary user."
        )
    if os.geteuid() != 0:
        if owner is None and _user(os.geteuid()) is None:
            raise EmbeddedPostgresError(
                f"The user {os.geteuid()} has no name on this machine, and PostgreSQL needs one to "
                "make a data folder: add the user to /etc/passwd."
            )
        return None
    if owner:
        return Account(owner.st_uid, owner.st_gid)
    owner_above = folder.parents[1].stat().st_uid
    for user in (_user(owner_above), _user("postgres"), _user("nobody")):
        if user and user.uid != 0:
            return user
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`: "
        "start as an ordinary user."
    )


def programs_for(account: Account | None, programs: Path, name: str) -> Path:
    """The wheel's programs, or a copy under `/var/lib/NAME` if the account cannot run them."""
    if account is None or _can_run(account, programs):
        return programs
    package = programs.parents[1]
    copies = PROGRAM_COPIES / name
    copy = copies / importlib.metadata.version("embedded-postgres")
    if not copy.exists():
        logger.warning("copying PostgreSQL to %s: its user has no access to %s", copy, package)
        _copy_package(package, copies, copy)
    return copy / programs.relative_to(package.parent)


def _user(key: str | int) -> Account | None:
    try:
        entry = pwd.getpwnam(key) if isinstance(key, str) else pwd.getpwuid(key)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def _can_run(account: Account, programs: Path) -> bool:
    command = [programs / "postgres", "--version"]
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, **process_options(account)) == 0
    except PermissionError:
        return False


def _copy_package(package: Path, copies: Path, copy: Path) -> None:
    """Copy the package and its libraries under a temporary name, readable for all, then rename."""
    copies.mkdir(parents=True, exist_ok=True)
    copies.chmod(0o755)
    draft = Path(tempfile.mkdtemp(dir=copies))
    try:
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, draft / part.name, ignore=shutil.ignore_patterns("include"))
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not copy.exists():  # no other process was faster
            raise
