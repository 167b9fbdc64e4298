"""Many at once: what must happen once happens once, and nobody is told that the server failed."""

import re
from collections import Counter

import pytest

from repositories.sql import fetch_all, fetch_one

CODE = re.compile(r"^[0-9]{6}:[A-Za-z0-9_-]{20,}$", re.MULTILINE)


@pytest.fixture
def at_once(at_once):
    """The statuses that these requests get when they start together."""
    return lambda requests: at_once(lambda request: request().status_code, requests)


@pytest.mark.parametrize("body", [{"is_superuser": False}, {"is_active": False}])
def test_two_superusers_who_take_each_other_down_leave_one(client, person, at_once, body):
    for _ in range(5):
        one, two = (person(f"gopher_{n}", is_superuser=True) for n in ("one", "two"))
        statuses = at_once(
            [
                lambda who=who, whom=whom: client.patch(
                    f"/api/users/{whom.id}", headers=who.headers, json=body
                )
                for who, whom in ((one, two), (two, one))
            ]
        )
        active = fetch_all(
            "SELECT id FROM users WHERE is_superuser AND status = 1 AND deleted_at IS NULL"
        )

        assert len(active) == 1
        # The second was too late: it hears so, or is shut out already.
        assert sorted(statuses)[0] == 200
        assert sorted(statuses)[1] in (401, 403, 409)
        fetch_all("UPDATE users SET deleted_at = now(), is_superuser = false RETURNING id")


def test_two_superusers_who_delete_each_other_leave_one(client, person, at_once):
    one, two = (person(f"gopher_{n}", is_superuser=True) for n in ("one", "two"))
    at_once(
        [
            lambda: client.delete(f"/api/users/{two.id}", headers=one.headers),
            lambda: client.delete(f"/api/users/{one.id}", headers=two.headers),
        ]
    )
    assert len(fetch_all("SELECT id FROM users WHERE deleted_at IS NULL")) == 1


def test_fifty_uses_of_one_code_are_one_success(client, person, mails, at_once):
    person("gopher_anna", email="anna@example.org")
    client.post("/api/auth/password/forgot", json={"email": "anna@example.org"})
    code = CODE.search(mails()[0][2])[0]

    def reset(number):
        password = f"gopher{number}!"
        body = {"token": code, "password": password, "password_confirm": password}
        return client.post("/api/auth/password/reset", json=body)

    statuses = at_once([lambda n=n: reset(n) for n in range(50)])
    assert Counter(statuses) == {204: 1, 401: 49}
    winner = statuses.index(204)
    body = {"user_name": "gopher_anna", "password": f"gopher{winner}!"}
    assert client.post("/api/auth/login", json=body).status_code == 200


def test_fifty_confirmations_by_one_code_are_one_success(client, person, mails, at_once):
    anna = person("gopher_anna")
    client.patch(f"/api/users/{anna.id}", headers=anna.headers, json={"email": "a@example.org"})
    code = CODE.search(mails()[0][2])[0]
    statuses = at_once([lambda: client.post("/api/auth/email/confirm", json={"token": code})] * 50)
    assert Counter(statuses) == {204: 1, 401: 49}


def test_fifty_registrations_of_one_address_in_different_case_are_one(client, mails, at_once):
    def register(number):
        letters = "".join(
            letter.upper() if number >> place & 1 else letter
            for place, letter in enumerate("boriso")
        )
        body = {
            "user_name": f"gopher_{number}",
            "password": "gopher1!",
            "password_confirm": "gopher1!",
            "first_name": "Boris",
            "last_name": "Petrov",
            "email": f"{letters}@example.org",
        }
        return client.post("/api/users/signup", json=body)

    statuses = at_once([lambda n=n: register(n) for n in range(50)])
    assert Counter(statuses) == {201: 1, 409: 49}
    assert len(fetch_all("SELECT id FROM users")) == 1
    assert len(mails()) == 1


def test_one_users_roles_set_by_many_are_one_whole_set_and_the_log_is_a_chain(
    client, person, role, at_once
):
    root, anna = person("gopher_root", is_superuser=True), person("gopher_anna")
    sets = []
    for number in range(10):
        pair = [f"role_{number}_{letter}" for letter in "ab"]
        for name in pair:
            role(name)
        sets.append(pair)
    path = f"/api/users/{anna.id}/roles"
    statuses = at_once(
        [
            lambda roles=roles: client.put(path, headers=root.headers, json={"roles": roles})
            for roles in sets
        ]
    )
    held = [each["name"] for each in client.get(path, headers=root.headers).json()]
    entries = client.get("/api/audit?limit=50", headers=root.headers).json()[::-1]

    assert statuses == [200] * 10
    assert held[:-1] in sets
    assert [each["before"]["roles"] for each in entries] == [
        ["user"],
        *[each["after"]["roles"] for each in entries[:-1]],
    ]
    assert entries[-1]["after"]["roles"] == held
    assert len(entries) == 10


def test_one_roles_permissions_set_by_many_are_one_whole_set(client, person, role, at_once):
    root, baker = person("gopher_root", is_superuser=True), role("baker")
    sets = [["post:create", "post:read"], ["user:create", "user:read"], ["audit:read"]] * 3
    path = f"/api/roles/{baker}"
    statuses = at_once(
        [
            lambda names=names: client.put(
                f"{path}/permissions", headers=root.headers, json={"permissions": names}
            )
            for names in sets
        ]
    )

    assert statuses == [200] * 9
    assert client.get(path, headers=root.headers).json()["permissions"] in sets


def test_a_role_given_while_it_is_deleted_is_given_or_not_there(client, person, role, at_once):
    root, anna = person("gopher_root", is_superuser=True), person("gopher_anna")
    for number in range(10):
        role_id = role(f"role_{number}")
        given, deleted = at_once(
            [
                lambda name=f"role_{number}": client.put(
                    f"/api/users/{anna.id}/roles", headers=root.headers, json={"roles": [name]}
                ),
                lambda role_id=role_id: client.delete(
                    f"/api/roles/{role_id}?force=true", headers=root.headers
                ),
            ]
        )
        assert (given in (200, 404), deleted) == (True, 204)


def test_a_user_token_asked_for_by_many_is_one(client, person, mails, at_once):
    person("gopher_anna", email="anna@example.org")
    body = {"email": "anna@example.org"}
    statuses = at_once([lambda: client.post("/api/auth/password/forgot", json=body)] * 20)
    codes = [CODE.search(text)[0] for _, _, text in mails()]

    def reset(code):
        body = {"token": code, "password": "gopher2!", "password_confirm": "gopher2!"}
        return client.post("/api/auth/password/reset", json=body).status_code

    assert Counter(statuses) == {202: 20}
    assert fetch_one("SELECT count(*) AS n FROM tokens")["n"] == 1
    assert Counter(reset(code) for code in codes) == {204: 1, 401: 19}
