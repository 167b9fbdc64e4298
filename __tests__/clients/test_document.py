"""What other people's tools say of the description that a server gives out."""

import httpx
import pytest
from node import Node
from tools import needed_module

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.tools

CI = PROJECT_ROOT / ".ci"


@pytest.fixture
def document(live_server):
    return httpx.get(f"{live_server.url}/openapi.json").json()


def test_it_is_valid(document):
    needed_module("openapi_spec_validator").validate(document)


def test_spectral_finds_nothing(live_server):
    found = Node(CI).run(
        *("spectral", "lint", f"{live_server.url}/openapi.json"),
        *("--ruleset", str(CI / "spectral.yaml"), "--fail-severity", "warn"),
    )
    assert found.returncode == 0, found.stdout + found.stderr
