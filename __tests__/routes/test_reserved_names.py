"""Names that stand for something here are nobody's, however they are written."""

import re

import pytest

from repositories.sql import fetch_all
from routes import user_routes
from services.account_rules import RESERVED_NAMES

SPELLINGS = [str.lower, str.upper, str.title, "_{}_".format, "{}___".format, "_".join]


def body(user_name):
    names = {"first_name": "Eve", "last_name": "Gopher"}
    passwords = {"password": "gopher1!", "password_confirm": "gopher1!"}
    return {"user_name": user_name, **passwords, **names}


@pytest.fixture
def ways(client, anna, boris, root):
    """Every way to get a name: functions that ask for one."""

    def change(member, caller, method):
        path = f"/api/users/{member.id}"
        return lambda name: client.request(
            method, path, json={"user_name": name}, headers=caller.headers
        )

    return {
        "register": lambda name: client.post("/api/auth/register", json=body(name)),
        "sign up": lambda name: client.post("/api/users/signup", json=body(name)),
        "create": lambda name: client.post("/api/users", json=body(name), headers=root.headers),
        "change one's own": change(anna, anna, "PATCH"),
        "replace one's own": change(anna, anna, "PUT"),
        "change another's": change(boris, root, "PATCH"),
        "change a superuser's": change(root, root, "PATCH"),
    }


def test_they_are_refused_in_every_way_and_spelling(ways, subtests):
    for name in sorted(RESERVED_NAMES):
        for spell in SPELLINGS:
            written = spell(name)
            if len(written) < 5:
                continue  # too short for anybody's
            for way, ask in ways.items():
                with subtests.test(f"{way} {written}"):
                    refused = ask(written)
                    assert refused.status_code == 422
                    assert refused.json()["error"] == "user_name: This name is reserved"


def test_names_that_merely_contain_them_are_free(ways):
    for number, ask in enumerate(ways.values()):
        assert ask(f"admin_{number}").status_code in (200, 201)


def test_every_role_and_every_path_beside_the_users_is_among_them(db):
    roles = {row["name"] for row in fetch_all("SELECT name FROM roles WHERE is_builtin", ())}
    paths = {
        found[1]
        for router in (user_routes.router, user_routes.hashing)
        for route in router.routes
        if (found := re.match(r"/api/users/(\w+)", route.path))
    }
    assert {"guest", "user", "admin"} <= roles
    assert {"me", "signup"} <= paths
    assert roles | paths | {"deleted", "system"} <= RESERVED_NAMES


def test_who_has_one_from_before_keeps_it_and_can_log_in(client, person):
    old = person("Moderator")
    login = client.post(
        "/api/auth/login", json={"user_name": "Moderator", "password": old.password}
    )
    changed = client.patch(
        f"/api/users/{old.id}",
        json={"user_name": "Moderator", "first_name": "Clara"},
        headers=old.headers,
    )
    other = client.patch(
        f"/api/users/{old.id}", json={"user_name": "moderator"}, headers=old.headers
    )

    assert (login.status_code, changed.status_code, other.status_code) == (200, 200, 422)
