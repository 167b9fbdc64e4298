"""Our Postman collection succeeds; so does one that somebody else has written."""

import json
from pathlib import Path

import pytest

from app import app
from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.tools

FOLDER = PROJECT_ROOT / "postman"
COLLECTION = FOLDER / "gophertalk.postman_collection.json"
ENVIRONMENT = FOLDER / "gophertalk.postman_environment.json"
BY_HAND = Path(__file__).with_name("by_hand.postman_collection.json")
ADMIN_PASSWORD = "For-newman-1!"


@pytest.fixture(scope="module")
def live_settings():
    """A test here registers more people than one address may in a quarter of a minute."""
    return {"RATE_LIMIT_REGISTER": "off"}


@pytest.fixture(scope="module")
def admin_password(live_server):
    live_server.create_superuser(ADMIN_PASSWORD)
    return ADMIN_PASSWORD


def requests_of(path):
    """All requests of a collection, whose folders are not nested."""
    return [each for folder in json.loads(path.read_text())["item"] for each in folder["item"]]


def sent(run):
    """The names of the requests that were not left out."""
    return [each["item"]["name"] for each in run["executions"] if "response" in each]


def test_it_has_every_operation_and_a_test_for_each():
    requests = requests_of(COLLECTION)
    there = {
        (each["request"]["method"], "/".join(each["request"]["url"]["path"])) for each in requests
    }
    documented = {
        (method.upper(), path.removeprefix("/api/").replace("{", ":").replace("}", ""))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    assert there == documented
    for each in requests:
        [test] = [event for event in each["event"] if event["listen"] == "test"]
        assert "to.have.status" in "".join(test["script"]["exec"])


def test_a_run_from_top_to_bottom_succeeds_twice(live_server, admin_password, newman):
    for _ in range(2):
        run = newman(
            COLLECTION,
            "--environment",
            str(ENVIRONMENT),
            api_url=f"{live_server.url}/api",
            admin_password=admin_password,
        )
        assert run["failures"] == []
        assert run["stats"]["assertions"]["total"] > 190
        names = [each["name"] for each in requests_of(COLLECTION)]
        left_out = ("Follow what happens", "token from the mail")
        assert sent(run) == [name for name in names if not name.endswith(left_out)]


def test_without_an_administrator_it_does_what_a_member_can(live_server, newman):
    run = newman(COLLECTION, "--environment", str(ENVIRONMENT), api_url=f"{live_server.url}/api")
    assert run["failures"] == []
    assert {"Create an account", "Like a post", "Log in again"} <= set(sent(run))
    assert "Create a role: Moderators" not in sent(run)


@pytest.mark.parametrize("slash", ["", "/"])
def test_somebody_elses_collection_succeeds(live_server, newman, slash):
    run = newman(BY_HAND, api_url=f"{live_server.url}/api", slash=slash)
    assert run["failures"] == []
    assert len(sent(run)) == len(requests_of(BY_HAND))
    paths = [each["request"]["url"]["path"] for each in run["executions"]]
    assert all((path[-1] == "") == (slash == "/") for path in paths)
