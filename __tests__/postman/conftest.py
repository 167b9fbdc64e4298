"""newman, which runs collections."""

import json
from pathlib import Path
from typing import Any

import pytest
from node import Node

from config.settings import PROJECT_ROOT


@pytest.fixture(scope="session")
def node() -> Node:
    return Node(PROJECT_ROOT / "postman")


@pytest.fixture
def newman(node: Node, tmp_path: Path) -> Any:
    """Runs a collection: `newman(path, api_url="http://...")` gives newman's report of the run."""

    def run(collection: Path, *more: str, **variables: str) -> dict[str, Any]:
        report = tmp_path / "report.json"
        command = ["newman", "run", str(collection), "--reporters", "cli,json", *more]
        command += ["--reporter-json-export", str(report)]
        command += [word for item in variables.items() for word in ("--env-var", "=".join(item))]
        done = node.run(*command)
        assert done.returncode == 0, done.stdout
        return json.loads(report.read_text())["run"]

    return run
