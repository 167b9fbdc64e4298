"""An old Python, or one without our packages, is told what to do instead of a traceback."""

import ast
import shutil
import sys

import pytest
from programs import run, sentence

from config.settings import PROJECT_ROOT

PROGRAMS = ["app", "create_superuser", "manage", "migrate", "seed_demo", "worker"]
# `-S`: without the folder of installed packages.
BARE = (sys.executable, "-S")
OLD = "import runpy, sys; sys.version_info = (3, 8, 10, 'final', 0); sys.argv = sys.argv[1:]; "
OLD += "sys.path.insert(0, sys.argv[0].rpartition('/')[0]); "
OLD += "runpy.run_path(sys.argv[0], run_name='__main__')"
INSTALL = ".venv/bin/python -m pip install --require-hashes -r requirements.txt"


@pytest.fixture
def src(tmp_path):
    """A copy in a project that has no environment yet."""
    return shutil.copytree(PROJECT_ROOT / "src", tmp_path / "src")


@pytest.mark.parametrize("name", [*PROGRAMS, "entry"])
def test_an_old_python_can_read_what_runs_first(name):
    ast.parse((PROJECT_ROOT / "src" / f"{name}.py").read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_old_python_is_refused(name, src):
    refused = run(f"{name}.py", src=src, python=(*BARE, "-c", OLD))

    assert sentence(refused) == (
        f"It needs Python 3.11 or newer; {sys.executable} is 3.8.10. "
        f"Make the environment, in the folder {src.parent}: python3.11 -m venv .venv && {INSTALL}"
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_python_without_our_packages_is_refused(name, src):
    said = sentence(run(f"{name}.py", src=src, python=BARE))

    assert said.startswith(f"{sys.executable} has no package ")
    assert said.endswith(
        f"Make the environment, in the folder {src.parent}: python3 -m venv .venv && {INSTALL}"
    )


def test_an_environment_that_is_there_is_to_be_used(src):
    python = src.parent / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()

    said = sentence(run("migrate.py", src=src, python=BARE))
    assert said.endswith(f"Start with the environment: {python} {src / 'migrate.py'}")


def test_a_module_of_our_own_that_is_missing_is_a_fault_with_a_traceback(src):
    (src / "config" / "startup.py").unlink()
    failed = run("migrate.py", src=src)

    assert failed.returncode == 1
    assert "Traceback" in failed.stderr
    assert "No module named 'config.startup'" in failed.stderr
