"""The Python client that openapi-python-client makes from a server's description works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tools import DEMANDED

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.tools

FOLDER = PROJECT_ROOT / "clients/python"
LOCK, PROGRAMS = FOLDER / "requirements.txt", FOLDER / ".venv/bin"


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", autouse=True)
def generator():
    """It has an environment of its own, because it wants older packages than the server has."""
    done = FOLDER / ".venv/installed"
    if done.exists() and done.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    if not DEMANDED:
        pytest.skip(f"{FOLDER} has no environment with its requirements")
    run(sys.executable, "-m", "venv", FOLDER / ".venv")
    run(PROGRAMS / "python", "-m", "pip", "install", "--require-hashes", "-r", LOCK)
    done.touch()


def test_it_is_made_without_a_warning_and_works(shop, tmp_path):
    run(
        *(PROGRAMS / "openapi-python-client", "generate", "--fail-on-warning"),
        *("--url", f"{shop.url}/openapi.json", "--output-path", tmp_path / "client"),
        env=os.environ | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"},  # it looks for ruff there
    )
    run(
        *(PROGRAMS / "python", Path(__file__).with_name("drive_python_client.py"), shop.url),
        env=os.environ | {"PYTHONPATH": str(tmp_path / "client")},
    )
