"""The limits that the route tables name, over HTTP."""

from itertools import count

import pytest
from fastapi.testclient import TestClient
from shop import headers_of, new_user, settings_with

numbers = count(1)


@pytest.fixture
def address():
    """An address that nobody else has used up."""
    number = next(numbers)
    return f"198.18.{number // 250}.{number % 250 + 1}"


@pytest.fixture
def client_at(db):
    from app import app

    return lambda address: TestClient(app, raise_server_exceptions=False, client=(address, 50000))


def log_in(client, name="gopher_anna"):
    return client.post("/api/auth/login", json={"user_name": name, "password": "gopher1!"})


def log_in_by_form(client, name="gopher_anna"):
    form = {"username": name, "password": "gopher1!"}
    return client.post("/api/login/access-token", data=form)


def register(client, name):
    body = {
        "user_name": name,
        "password": "gopher1!",
        "password_confirm": "gopher1!",
        "first_name": "Anna",
        "last_name": "Petrova",
    }
    return client.post("/api/auth/register", json=body)


def statuses(answers):
    return [answer.status_code for answer in answers]


def test_five_registrations_in_fifteen_seconds(client_at, address):
    answers = [register(client_at(address), f"gopher_{letter}") for letter in "abcdef"]

    assert statuses(answers) == [201] * 5 + [429]
    first, last = answers[0], answers[-1]
    assert first.headers["ratelimit-policy"] == '"register";q=5;w=15'
    assert first.headers["ratelimit"].startswith('"register";r=4;t=')
    assert last.headers["ratelimit"].startswith('"register";r=0;t=')
    assert 1 <= int(last.headers["retry-after"]) <= 15
    sentence = "Too many requests, please try again later"
    assert last.json() == {"detail": sentence, "error": sentence}
    assert last.headers["x-request-id"]


def test_five_logins_a_minute_for_a_name_from_an_address(client_at, address):
    register(client_at(address), "gopher_anna")
    client, other = client_at(address), client_at("198.19.0.1")

    assert statuses(log_in(client) for _ in range(6)) == [200] * 5 + [429]
    # The form is another door to the same room.
    assert log_in_by_form(client).status_code == 429
    assert log_in(client, "gopher_boris").status_code == 401
    assert log_in(other).status_code == 200


def test_the_form_is_limited_too(client_at, address):
    answers = [log_in_by_form(client_at(address)) for _ in range(6)]
    assert statuses(answers) == [401] * 5 + [429]
    policies = answers[0].headers["ratelimit-policy"]
    assert policies == '"login_address";q=30;w=60, "login";q=5;w=60'


def test_thirty_logins_a_minute_from_an_address(client_at, address):
    client = client_at(address)
    answers = [log_in(client, f"gopher_{number}") for number in range(31)]
    assert statuses(answers) == [401] * 30 + [429]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("", "application/json"),
        ("[]", "application/json"),
        ("null", "application/json"),
        ("{", "application/json"),
        ('{"user_name": "\\ud800", "password": "x"}', "application/json"),
        ('{"user_name": {}, "password": "x"}', "application/json"),
        ("{", "text/json"),
        ("{", "text/plain"),
        ("user_name=a", "application/x-www-form-urlencoded"),
        ("\xff", "application/json"),
    ],
)
@pytest.mark.parametrize("path", ["/api/auth/login", "/api/login/access-token"])
def test_an_unreadable_login_is_still_422(client_at, address, path, content, kind):
    headers = {"Content-Type": kind}
    body = content.encode("latin-1")
    answer = client_at(address).post(path, content=body, headers=headers)
    assert answer.status_code == 422


def test_a_forged_address_changes_nothing(client_at, address):
    client = client_at(address)
    answers = []
    for number in range(6):
        client.headers["X-Forwarded-For"] = f"203.0.113.{number}"
        answers.append(register(client, f"gopher_{number}"))
    assert statuses(answers) == [201] * 5 + [429]


def test_a_trusted_proxy_speaks_for_its_clients(client_at, address):
    client = client_at(address)
    with settings_with(TRUSTED_PROXIES=address):
        answers = []
        for number in range(6):
            client.headers["X-Forwarded-For"] = f"203.0.113.{number}"
            answers.append(register(client, f"gopher_{number}"))
    assert statuses(answers) == [201] * 6


@pytest.mark.parametrize(
    "environment", [{"RATE_LIMITS_ENABLED": "false"}, {"RATE_LIMIT_REGISTER": "off"}]
)
def test_can_be_off(client_at, address, environment):
    with settings_with(**environment):
        answers = [register(client_at(address), f"gopher_{number}") for number in range(7)]
    assert statuses(answers) == [201] * 7
    assert "ratelimit" not in answers[0].headers


def test_other_limits_are_off_unless_set(client_at, address):
    client = client_at(address)
    assert "ratelimit" not in client.get("/api/products").headers
    with settings_with(RATE_LIMIT_PRODUCT="2/minute"):
        answers = [client.get("/api/products") for _ in range(3)]
    assert statuses(answers) == [200, 200, 429]
    assert client.get("/api/products").status_code == 200


def test_members_are_counted_one_by_one_wherever_they_are(client_at, address):
    anna, boris = headers_of(new_user("gopher_anna")), headers_of(new_user("gopher_boris"))
    client = client_at(address)
    # Two users of this test alone: the counters of earlier tests know other ids.
    with settings_with(RATE_LIMIT_ORDER="2/hour"):
        mine = [client.get("/api/orders", headers=anna) for _ in range(3)]
        elsewhere = client_at("198.19.0.2").get("/api/orders", headers=anna)
        others = client.get("/api/orders", headers=boris)
    assert statuses(mine) == [200, 200, 429]
    assert elsewhere.status_code == 429
    assert others.status_code == 200


@pytest.mark.parametrize(
    ("name", "method", "path"),
    [
        ("REFRESH", "POST", "/api/auth/refresh"),
        ("POST", "GET", "/api/posts"),
        ("USER", "GET", "/api/users"),
        ("PRODUCT", "GET", "/api/products/1"),
        ("ORDER", "GET", "/api/orders"),
    ],
)
def test_each_limit_has_its_routes(client_at, address, name, method, path):
    with settings_with(**{f"RATE_LIMIT_{name}": "1/minute"}):
        answers = [client_at(address).request(method, path) for _ in range(2)]
    assert answers[0].status_code != 429
    assert answers[1].status_code == 429
