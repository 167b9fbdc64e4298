"""Mail is bounded, a good code is mailed again, and an address counts once it is confirmed."""

import re

import pytest
from shop import settings_with

from services import rate_limit_service

CODE = re.compile(r"^[0-9]{6}:[A-Za-z0-9_-]{20,}$", re.MULTILINE)
LIMITS = {
    "RATE_LIMIT_MAIL_ADDRESS": "3/hour",
    "RATE_LIMIT_MAIL_ACCOUNT": "10/hour",
    "RATE_LIMIT_MAIL_CLIENT": "10/hour",
}


@pytest.fixture
def limits():
    rate_limit_service._in_memory = None
    with settings_with(**LIMITS):
        yield
    rate_limit_service._in_memory = None


@pytest.fixture
def anna(person):
    return person("gopher_anna", email="anna@example.org")


@pytest.fixture
def forgot(client):
    def ask(email="anna@example.org"):
        answer = client.post("/api/auth/password/forgot", json={"email": email})
        assert answer.status_code == 202

    return ask


@pytest.fixture
def change(client, anna):
    """Sets the own address."""

    def change(email):
        path = f"/api/users/{anna.id}"
        return client.patch(path, json={"email": email}, headers=anna.headers)

    return change


@pytest.fixture
def me(client, anna):
    def me():
        profile = client.get("/api/users/me", headers=anna.headers).json()
        return tuple(profile[name] for name in ("email", "email_confirmed", "pending_email"))

    return me


@pytest.fixture
def confirm(client):
    def confirm(code):
        return client.post("/api/auth/email/confirm", json={"token": code}).status_code

    return confirm


def codes(mails):
    return [CODE.search(text)[0] for _, _, text in mails()]


def test_a_hundred_resets_for_one_address_send_three_mails_with_one_code(
    client, limits, anna, forgot, mails
):
    for _ in range(100):
        forgot()

    assert len(set(codes(mails))) == 1
    assert len(mails()) == 3
    body = {"password": "gopher2!", "password_confirm": "gopher2!"}
    answer = client.post("/api/auth/password/reset", json={"token": codes(mails)[0], **body})
    assert answer.status_code == 204


def test_after_a_code_was_used_the_next_one_is_another(client, anna, forgot, mails):
    forgot()
    body = {"password": "gopher2!", "password_confirm": "gopher2!"}
    client.post("/api/auth/password/reset", json={"token": codes(mails)[0], **body})
    forgot()

    assert len(set(codes(mails))) == 2


def test_thirty_addresses_of_strangers_get_ten_mails(limits, anna, change, mails):
    for number in range(30):
        assert change(f"stranger_{number}@example.org").status_code == 200

    assert len(mails()) == 10


def test_one_client_address_asks_for_ten_mails(limits, person, forgot, mails, monkeypatch):
    from utils import context

    monkeypatch.setattr(
        "dependencies.middleware.request_context.client_address", lambda _: "192.0.2.7"
    )
    for number in range(15):
        person(f"gopher_{number}", email=f"gopher_{number}@example.org")
        forgot(f"gopher_{number}@example.org")

    assert len(mails()) == 10
    assert context.client_address.get()() is None


def test_the_confirmed_address_stays_until_the_new_one_is_confirmed(
    anna, change, me, confirm, forgot, mails
):
    assert me() == ("anna@example.org", False, None)
    change("anna@example.org")
    assert confirm(codes(mails)[-1]) == 204
    assert me() == ("anna@example.org", True, None)

    change("new@example.org")
    assert me() == ("anna@example.org", True, "new@example.org")
    forgot("new@example.org")
    assert [to for to, _, _ in mails()] == ["anna@example.org", "new@example.org"]

    assert confirm(codes(mails)[-1]) == 204
    assert me() == ("new@example.org", True, None)


def test_a_code_for_an_address_that_was_replaced_confirms_nothing(anna, change, me, confirm, mails):
    change("anna@example.org")
    confirm(codes(mails)[-1])
    change("first@example.org")
    first = codes(mails)[-1]
    change("second@example.org")

    assert confirm(first) == 401
    assert me() == ("anna@example.org", True, "second@example.org")
    change("anna@example.org")
    assert me() == ("anna@example.org", True, None)


def test_an_address_that_somebody_else_confirmed_meanwhile_is_refused(
    client, anna, person, change, confirm, mails, me
):
    change("anna@example.org")
    confirm(codes(mails)[-1])
    change("both@example.org")
    mine = codes(mails)[-1]
    boris = person("gopher_boris", email="both@example.org")

    assert confirm(mine) == 409
    assert me() == ("anna@example.org", True, "both@example.org")
    assert client.get("/api/users/me", headers=boris.headers).json()["email"] == "both@example.org"
