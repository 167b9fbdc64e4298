"""The first step of every program: its version, its streams, and one line when Python is too old
or a package is missing.

Python 3.6 can read this module and the programs, which import nothing else before it.
"""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import NoReturn

VERSION = "1.0.0"
PYTHON = (3, 11)
SRC = Path(__file__).resolve().parent
ROOT = SRC.parent
IN_ENVIRONMENT = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


def begin(usage: str = "") -> None:
    """End the program when Python is too old now, or later when a package is missing.

    `usage`: the help of a program that takes no arguments.
    """
    if sys.version_info < PYTHON:
        found = ".".join(str(number) for number in sys.version_info[:3])
        _exit_with_remedy(
            f"It needs Python 3.11 or newer; {sys.executable} is {found}.", "python3.11"
        )
    sys.excepthook = _explain_without_traceback
    os.umask(os.umask(0o077) | 0o022)  # nobody else may ever change what we make
    _prepare_streams()
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        print(f"GopherTalk {VERSION}")
        sys.exit()
    if usage and arguments in (["-h"], ["--help"]):
        print(usage)
        sys.exit()
    if usage and arguments:
        _exit(f"It takes no arguments, such as {arguments[0]}. {usage}")


def _prepare_streams() -> None:
    """A stream that was closed becomes empty: otherwise the next file would get its number. What a
    stream's encoding lacks is shown as a code."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(os.devnull, "r" if name == "stdin" else "w")  # noqa: SIM115
            os.set_inheritable(stream.fileno(), True)  # workers have the same streams
            setattr(sys, name, stream)
        elif name != "stdin" and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _explain_without_traceback(
    kind: "type[BaseException]", error: BaseException, traceback: TracebackType
) -> None:
    """For `sys.excepthook`: neither a missing package nor Ctrl-C needs a traceback."""
    package = str(getattr(error, "name", "")).partition(".")[0]
    if issubclass(kind, KeyboardInterrupt):
        sys.exit(130)  # as shells say it of Ctrl-C
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
    _exit(f"{reason} {remedy}")


def _exit(reason: str) -> NoReturn:
    sys.stderr.write(f"GopherTalk cannot start. {reason}\n")
    sys.exit(2)
