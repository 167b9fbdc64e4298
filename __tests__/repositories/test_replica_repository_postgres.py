"""How far the primary has written. With a replica: `__tests__/faults/test_replica.py`."""

import pytest

from config import db
from repositories import replica_repository
from repositories.sql import fetch_one

pytestmark = pytest.mark.usefixtures("database")


def test_the_position_grows_with_what_is_written(db):
    before = replica_repository.primary_position()
    fetch_one("INSERT INTO products (name, price) VALUES ('Mug', 1) RETURNING id")
    after = replica_repository.primary_position()
    row = fetch_one("SELECT %s::pg_lsn > %s::pg_lsn AS yes", (after, before))
    assert row == {"yes": True}


def test_a_server_that_is_no_replica_is_not_asked():
    assert not replica_repository.has_applied(db.pool, "0/0")


def test_nor_one_that_is_not_there():
    closed = db._new_pool()
    assert not replica_repository.has_applied(closed, "0/0")
