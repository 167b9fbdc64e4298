"""The suite's own helper: it empties tables that nobody has told it about."""

import pytest
from empty_database import empty_database, snapshot_database

from repositories.sql import execute, fetch_all

MIGRATION = """
    CREATE TABLE clubs (
        id bigserial PRIMARY KEY,
        name text NOT NULL,
        initial text GENERATED ALWAYS AS (left(name, 1)) STORED,
        founder_id bigint REFERENCES users (id)
    );
    INSERT INTO clubs (name) VALUES ('Bakers');
    CREATE TABLE club_members (
        club_id bigint NOT NULL REFERENCES clubs (id),
        user_id bigint NOT NULL REFERENCES users (id)
    );
"""


@pytest.fixture
def migrated(db):
    for statement in MIGRATION.split(";")[:-1]:
        execute(statement)
    snapshot_database()
    yield
    execute("DROP TABLE club_members, clubs")
    snapshot_database()


def test_tables_of_a_new_migration_need_neither_cascade_nor_a_line_here(migrated, anna):
    def clubs():
        return fetch_all("SELECT id, name, initial, founder_id FROM clubs ORDER BY id")

    before = clubs()
    execute("UPDATE clubs SET name = 'Cooks', founder_id = %s", (anna.id,))
    execute("INSERT INTO clubs (name) VALUES ('Readers')")
    execute("INSERT INTO club_members SELECT c.id, u.id FROM clubs c, users u")
    execute("DELETE FROM role_permissions")
    empty_database()

    assert clubs() == before
    assert fetch_all("SELECT id FROM users") == fetch_all("SELECT * FROM club_members") == []
    assert fetch_all("SELECT role_id FROM role_permissions") != []
    execute("INSERT INTO clubs (name) VALUES ('Readers')")
    assert [club["id"] for club in clubs()] == [1, 2]
