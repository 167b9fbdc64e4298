"""The numbered SQL files of this folder, in dbmate's format, each with its version and checksum.

The part between `-- migrate:up` and an optional `-- migrate:down` is run. Two more marks count:

    -- works-with: 0004                    code of migration 0004 still works with these tables;
                                           without the line only code that knows this file does
    -- migrate:up transaction:false        for CREATE INDEX CONCURRENTLY, which PostgreSQL refuses
                                           in a transaction; each statement ends with `;` and a
                                           line end, and may be run twice
"""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

MIGRATIONS_DIR = Path(__file__).resolve().parent
UP_PART = re.compile(r"^-- migrate:up(.*)\n((?s:.*?))(?:^-- migrate:down|\Z)", re.MULTILINE)
WORKS_WITH = re.compile(r"^-- works-with: (\d+)$", re.MULTILINE)


class MigrationError(Exception):
    """Files and database do not fit each other; the message says which, and what to do."""


class Migration(NamedTuple):
    """`works_with` is the version of the oldest code that still works with the tables."""

    version: int
    name: str
    checksum: str
    works_with: int
    in_transaction: bool
    sql: str

    def statements(self) -> list[str]:
        """What is sent at once: everything, or outside of a transaction one statement each."""
        if self.in_transaction:
            return [self.sql]
        return [part for part in re.split(r"(?<=;)\n", self.sql) if part.strip()]


def load_migrations(folder: Path = MIGRATIONS_DIR) -> list[Migration]:
    """All migrations in order. Raises MigrationError."""
    migrations = [_load(path) for path in sorted(folder.glob("*.sql"))]
    if [each.version for each in migrations] != list(range(1, len(migrations) + 1)):
        raise MigrationError(
            f"The migrations in {folder} are not numbered 0001, 0002, ... in a row"
        )
    return migrations


def _load(path: Path) -> Migration:
    # Read as text, so line ends do not count for the checksum: git may change them.
    text = path.read_text(encoding="utf-8")
    up = UP_PART.search(text)
    number = path.name.partition("_")[0]
    if up is None or not number.isdecimal():
        raise MigrationError(f"{path.name} must be named 0001_what.sql and have a '-- migrate:up'")
    works_with = WORKS_WITH.search(text)
    return Migration(
        version=int(number),
        name=path.stem,
        checksum=hashlib.sha256(text.encode()).hexdigest(),
        works_with=int(works_with[1]) if works_with else int(number),
        in_transaction="transaction:false" not in up[1],
        sql=up[2],
    )
