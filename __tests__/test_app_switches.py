"""What the settings switch off is not there, and the rest is. Each app in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.slow

PATHS = ["/", "/docs", "/redoc", "/openapi.json", "/docs-assets/favicon.png", "/metrics"]
PROGRAM = """
import json, sys
sys.path.insert(0, "src")
from fastapi.testclient import TestClient
from app import app
client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
print(json.dumps({
    "statuses": {path: client.get(path).status_code for path in json.loads(sys.argv[1])},
    "form": client.post("/api/login/access-token").status_code,
    "openapi": app.openapi(),
}))
"""


@pytest.fixture
def app_with(tmp_path):
    """What an app with these settings answers, without a database."""

    def run(**settings):
        own = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps(PATHS)],
            cwd=PROJECT_ROOT,
            env={**own, **settings},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return run


def missing(answers):
    return {path for path, status in answers["statuses"].items() if status == 404}


def test_everything_is_on_unless_switched_off(app_with):
    answers = app_with()
    [scheme] = answers["openapi"]["components"]["securitySchemes"].values()

    assert missing(answers) == set()
    assert answers["form"] == 422
    assert scheme["flows"]["password"]["tokenUrl"] == "/api/login/access-token"


def test_without_documentation(app_with):
    assert missing(app_with(DOCS_ENABLED="false")) == set(PATHS) - {"/metrics"}


def test_without_metrics(app_with):
    assert missing(app_with(METRICS_ENABLED="false")) == {"/metrics"}


def test_without_the_form_the_button_asks_for_a_token(app_with):
    answers = app_with(PASSWORD_FORM_ENABLED="false")
    schemes = answers["openapi"]["components"]["securitySchemes"]
    paths = answers["openapi"]["paths"]

    assert missing(answers) == set()
    assert answers["form"] == 404
    assert "/api/login/access-token" not in paths
    [(name, scheme)] = schemes.items()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert paths["/api/users/me"]["get"]["security"] == [{name: []}]
    assert "form" not in scheme["description"]


def test_no_other_site_frames_the_documentation(client):
    for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        policy = client.get(path).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'self'" in policy
