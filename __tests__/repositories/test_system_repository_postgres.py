"""What PostgreSQL says of itself."""

from contextlib import suppress

import pytest
from psycopg import Rollback

from config.db import code_version
from repositories import system_repository
from repositories.sql import execute, transaction


@pytest.fixture
def conn(db):
    """In a transaction that is rolled back."""
    with suppress(Rollback), transaction() as conn:
        yield conn
        raise Rollback


def test_a_read_only_transaction_takes_no_writes(conn):
    assert system_repository.takes_writes(conn)
    execute("SET TRANSACTION READ ONLY", (), conn)
    assert not system_repository.takes_writes(conn)


def test_the_tables_fit_the_code_that_made_them(conn):
    assert system_repository.tables_fit(code_version(), conn)
    assert not system_repository.tables_fit(code_version() + 1, conn)


@pytest.mark.parametrize(
    ("works_with", "fits"), [(code_version(), True), (code_version() + 1, False), (None, False)]
)
def test_a_newer_migration_says_whether_older_code_still_works(conn, works_with, fits):
    version = code_version() + 1
    columns = "(version, name, checksum, works_with)"
    row = (version, "", "", works_with)
    execute(f"INSERT INTO schema_migrations {columns} VALUES (%s, %s, %s, %s)", row, conn)
    assert system_repository.tables_fit(code_version(), conn) is fits
