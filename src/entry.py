"""The first step of every program: one line when Python is too old or a package is missing.

Python 3.6 can read this module and the programs, which import nothing else before it.
"""

import sys
from pathlib import Path
from types import TracebackType
from typing import NoReturn

PYTHON = (3, 11)
SRC = Path(__file__).resolve().parent
ROOT = SRC.parent
IN_ENVIRONMENT = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


def check() -> None:
    """End the program when Python is too old now, or later when a package is missing."""
    if sys.version_info < PYTHON:
        found = ".".join(str(number) for number in sys.version_info[:3])
        _exit_with_remedy(
            f"It needs Python 3.11 or newer; {sys.executable} is {found}.", "python3.11"
        )
    sys.excepthook = _explain_missing_package


def _explain_missing_package(
    kind: "type[BaseException]", error: BaseException, traceback: TracebackType
) -> None:
    """For `sys.excepthook`: a missing package needs no traceback."""
    package = str(getattr(error, "name", "")).partition(".")[0]
    ours = (SRC / package).is_dir() or (SRC / f"{package}.py").exists()
    if ours or not issubclass(kind, ModuleNotFoundError):
        sys.__excepthook__(kind, error, traceback)
    else:
        _exit_with_remedy(f"{sys.executable} has no package {package}.", "python3")


def _exit_with_remedy(reason: str, python: str) -> NoReturn:
    """The remedy is to start with the environment that exists, or to make one."""
    environment = ROOT / ".venv"
    program = environment / IN_ENVIRONMENT
    if program.exists() and Path(sys.prefix).resolve() != environment:
        remedy = f"Start with the environment: {program} {SRC / Path(sys.argv[0]).name}"
    else:
        maker = "py" if sys.platform == "win32" else python
        make = "" if program.exists() else f"{maker} -m venv .venv && "
        install = f"{program.relative_to(ROOT)} -m pip install --require-hashes -r requirements.txt"
        remedy = f"Make the environment, in the folder {ROOT}: {make}{install}"
    sys.stderr.write(f"GopherTalk cannot start. {reason} {remedy}\n")
    sys.exit(2)
