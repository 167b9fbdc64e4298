"""The TypeScript client: made from a server's description, compiled, and driven against it."""

import pytest
from node import Node

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.tools

FOLDER = PROJECT_ROOT / "clients/typescript"


def test_it_is_made_by_one_command_compiles_and_works(shop):
    node = Node(FOLDER)
    node.npm("run", "generate", "--", f"{shop.url}/openapi.json")
    node.npm("run", "build")
    done = node.run("node", "--test", str(FOLDER / "dist/client.test.js"), GOPHERTALK_URL=shop.url)
    assert done.returncode == 0, done.stdout
    assert "# pass 7" in done.stdout
