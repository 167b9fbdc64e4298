"""Our programs as their users run them: a process, its exit code, and what it printed."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from config.settings import PROJECT_ROOT


def run(
    program: str,
    *arguments: str,
    src: Path = PROJECT_ROOT / "src",
    prefix: Sequence[str] = (),
    python: Sequence[str] = (sys.executable,),
    **settings: str,
) -> "subprocess.CompletedProcess[str]":
    """`run("migrate.py", DATA_DIR=...)`; the developer's own settings are left out."""
    return subprocess.run(
        [*prefix, *python, str(src / program), *arguments],
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "BCRYPT_ROUNDS": "4",
            "LOGLEVEL": "WARNING",
            **settings,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


def sentence(refused: "subprocess.CompletedProcess[str]") -> str:
    """The one line that a program prints when it cannot start; it is all that it prints."""
    assert (refused.returncode, refused.stdout) == (2, ""), refused
    return sentence_of(refused.stderr)


def sentence_of(output: str) -> str:
    (line,) = output.splitlines()
    assert line.startswith("GopherTalk cannot start. ")
    return line.removeprefix("GopherTalk cannot start. ")
