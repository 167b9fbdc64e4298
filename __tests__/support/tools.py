"""Tests that need what the README's command does not install: browsers, Node, fuzzers.

They are marked `tools`, skip with the reason where a tool is missing, and fail there when
DEMAND_TOOLS is set, as `.ci/run` does once it has installed them.
"""

import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

DEMANDED = "DEMAND_TOOLS" in os.environ


def needed_module(name: str) -> Any:
    """The module; the test is skipped without it."""
    try:
        return import_module(name)
    except ImportError:
        _missing(f"the Python package {name}")


def needed_program(*names: str) -> str:
    """The path of the first of these programs that is there, in this Python's environment too; the
    test is skipped without any."""
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = next(filter(None, (shutil.which(name, path=folders) for name in names)), None)
    return found or _missing(f"the program {' or '.join(names)}")


def _missing(what: str) -> Any:
    if DEMANDED:
        pytest.fail(f"DEMAND_TOOLS is set, and {what} is missing")
    pytest.skip(f"{what} is not installed")
