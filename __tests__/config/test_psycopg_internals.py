"""A canary: the private names of psycopg that we use are still what they were."""

import inspect
from importlib.metadata import version

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from config import db
from config.pool import BoundedConnection
from config.psycopg_internals import WaitTimeout

READ_IN = "3.3.9"


def test_the_version_that_they_were_read_in():
    assert version("psycopg") == READ_IN, (
        f"config/psycopg_internals.py and config/pool.py were written for psycopg {READ_IN}. Read "
        "Connection.wait and errors._WaitTimeout in the new version, then write its number here."
    )


def test_a_wait_that_expires_raises_it(database):
    server = conninfo_to_dict(db.pool.conninfo())
    with psycopg.connect(**server) as conn:
        generator = conn.cursor()._execute_gen("SELECT pg_sleep(60)")
        with pytest.raises(WaitTimeout):
            psycopg.Connection.wait(conn, generator, timeout=0.01)
        conn.close()


def test_our_wait_takes_what_psycopgs_takes():
    ours, theirs = (
        list(inspect.signature(cls.wait).parameters)
        for cls in (BoundedConnection, psycopg.Connection)
    )
    assert ours == theirs
