"""Accounts over HTTP: signing up, /me, what an administrator does, and what nobody may."""

import pytest
from world import permissions_of

from repositories.sql import execute, fetch_one

PUBLIC = {
    "id",
    "user_name",
    "first_name",
    "last_name",
    "status",
    "created_at",
    "updated_at",
    "followers_count",
    "following_count",
    "is_followed",
}
PRIVATE = PUBLIC | {"middle_name", "email", "email_confirmed", "pending_email"}
PRIVATE |= {"is_active", "is_superuser"}
OWN = PRIVATE | {"roles", "permissions"}
NEW = {
    "user_name": "gopher_boris",
    "password": "gopher1!",
    "first_name": "Boris",
    "last_name": "Petrov",
}
LAST = "This is the last active superuser: make somebody else a superuser first"
PROOF = "This change needs the present password, as current_password"


@pytest.fixture
def ask(client):
    """A request of somebody: `ask(anna, "GET", "/users/me")`."""

    def send(who, method, path, body=None):
        headers = who.headers if who else {}
        return client.request(method, f"/api{path}", headers=headers, json=body)

    return send


@pytest.fixture
def anna(person):
    return person("gopher_anna", email="anna@example.org", middle_name="Maria")


@pytest.fixture
def helper(person, role):
    """May change and delete anybody, and is no superuser."""
    role("helper", "user:create", "user:update_any", "user:delete_any")
    return person("gopher_helper", ["helper"])


@pytest.fixture
def login(client):
    def status(user_name, password):
        body = {"user_name": user_name, "password": password}
        return client.post("/api/auth/login", json=body).status_code

    return status


class TestSignUp:
    def test_answers_with_the_user_who_can_log_in(self, ask, login, mails):
        body = {**NEW, "password_confirm": "gopher1!", "email": "Boris@Example.org"}
        answer = ask(None, "POST", "/users/signup", body)

        assert (answer.status_code, answer.json().keys()) == (201, PUBLIC)
        assert answer.json()["user_name"] == "gopher_boris"
        assert login("gopher_boris", "gopher1!") == 200

    @pytest.mark.parametrize("field", ["roles", "is_superuser", "is_active", "id", "status"])
    def test_grants_nothing(self, ask, field):
        body = {**NEW, "password_confirm": "gopher1!", field: True}
        answer = ask(None, "POST", "/users/signup", body)

        assert answer.status_code == 422
        assert answer.json()["error"].startswith(f"{field}: ")

    def test_taken(self, ask, anna, refused):
        body = {**NEW, "password_confirm": "gopher1!"}

        def sign_up(**fields):
            return ask(None, "POST", "/users/signup", {**body, **fields})

        refused(sign_up(user_name="gopher_anna"), 409, "User already exists")
        refused(sign_up(email="ANNA@example.org"), 409, "E-mail address already taken")


class TestMe:
    def test_shows_all_of_ones_own_and_the_rights(self, ask, anna, role):
        role("warden", "post:delete_any")
        answer = ask(anna, "GET", "/users/me")

        me = answer.json()
        assert (answer.status_code, me.keys()) == (200, OWN)
        assert (me["email"], me["middle_name"]) == ("anna@example.org", "Maria")
        assert (me["status"], me["is_active"], me["is_superuser"]) == (1, True, False)
        assert me["roles"] == ["user"]
        assert me["permissions"] == sorted(permissions_of("guest", "user"))
        assert {"post:create", "product:read"} <= set(me["permissions"])

    def test_each_their_own(self, ask, person, role):
        role("warden", "post:delete_any")
        one, two = person("gopher_one", ["warden"]), person("gopher_two", ["admin"])

        assert ask(one, "GET", "/users/me").json()["roles"] == ["user", "warden"]
        assert ask(two, "GET", "/users/me").json()["roles"] == ["admin", "user"]
        assert "post:delete_any" in ask(one, "GET", "/users/me").json()["permissions"]
        assert set(ask(two, "GET", "/users/me").json()["permissions"]) == permissions_of("admin")


class TestProfiles:
    @pytest.mark.parametrize("path", ["/users/gopher_anna", "/users/{id}"])
    def test_are_public_to_members_and_whole_to_who_may_read_private_ones(
        self, ask, anna, person, role, root, path
    ):
        role("clerk", "user:read_private")
        member, clerk = person("gopher_member"), person("gopher_clerk", ["clerk"])
        path = path.format(id=anna.id)

        assert ask(member, "GET", path).json().keys() == PUBLIC
        assert "example.org" not in ask(member, "GET", path).text
        for who in (clerk, root):
            answer = ask(who, "GET", path)
            assert answer.json().keys() == PRIVATE
            assert answer.json()["email"] == "anna@example.org"

    def test_the_list_is_public_to_all(self, ask, anna, root):
        answer = ask(root, "GET", "/users")

        assert {frozenset(each) for each in answer.json()} == {frozenset(PUBLIC)}
        assert [each["id"] for each in answer.json()] == sorted([anna.id, root.id])

    @pytest.mark.parametrize(
        ("user", "status"),
        [("gopher_none", 404), (2**53 - 1, 404), ("x", 422), ("0", 422), ("-1", 422), (2**53, 422)],
    )
    def test_of_nobody(self, ask, root, user, status):
        assert ask(root, "GET", f"/users/{user}").status_code == status


class TestCreate:
    def test_with_roles_and_flags(self, ask, root, role, login):
        role("baker")
        body = {**NEW, "roles": ["baker"], "is_active": False, "is_superuser": True}
        answer = ask(root, "POST", "/users", {**body, "email": "boris@example.org"})

        user = answer.json()
        assert (answer.status_code, user.keys()) == (201, PRIVATE)
        assert (user["is_active"], user["status"], user["is_superuser"]) == (False, 0, True)
        roles = ask(root, "GET", f"/users/{user['id']}/roles").json()
        assert [each["name"] for each in roles] == ["baker", "user"]
        assert login("gopher_boris", "gopher1!") == 401

    def test_plain(self, ask, helper, login):
        user = ask(helper, "POST", "/users", NEW).json()

        assert (user["is_active"], user["is_superuser"], user["email"]) == (True, False, None)
        assert login("gopher_boris", "gopher1!") == 200

    @pytest.mark.parametrize(
        ("changes", "status", "sentence"),
        [
            ({"user_name": "gopher_root"}, 409, "User already exists"),
            ({"email": "ANNA@example.org"}, 409, "E-mail address already taken"),
            ({"roles": ["painter"]}, 404, "There is no role painter"),
        ],
    )
    def test_refused(self, ask, root, anna, refused, changes, status, sentence):
        refused(ask(root, "POST", "/users", {**NEW, **changes}), status, sentence)
        assert ask(root, "GET", "/users/gopher_boris").status_code == 404

    def test_only_a_superuser_makes_superusers(self, ask, helper, refused):
        answer = ask(helper, "POST", "/users", {**NEW, "is_superuser": True})

        refused(answer, 403, "Only a superuser may change who is one")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({**NEW, "is_active": "yes"}, "is_active"),
            ({**NEW, "is_superuser": 1}, "is_superuser"),
            ({**NEW, "roles": "admin"}, "roles"),
            ({**NEW, "password_confirm": "gopher2!"}, "password_confirm"),
            ({**NEW, "id": 7}, "id"),
            ({**NEW, "email": "boris"}, "email"),
        ],
    )
    def test_bad_input(self, ask, root, body, field):
        answer = ask(root, "POST", "/users", body)

        assert answer.status_code == 422
        assert answer.json()["error"].startswith(f"{field}: ")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
class TestUpdate:
    def test_only_what_is_sent_changes(self, ask, anna, method):
        before = ask(anna, "GET", "/users/me").json()
        answer = ask(anna, method, f"/users/{anna.id}", {"middle_name": None, "last_name": "Li"})

        assert (answer.status_code, answer.json().keys()) == (200, PUBLIC)
        after = ask(anna, "GET", "/users/me").json()
        changed = {name for name in before if before[name] != after[name]}
        assert changed == {"middle_name", "last_name", "updated_at"}

    def test_nothing_sent(self, ask, anna, root, refused, method):
        for who in (anna, root):
            refused(ask(who, method, f"/users/{anna.id}", {}), 400, "No fields to update")

    def test_taken(self, ask, anna, person, refused, method):
        boris = person("gopher_boris")

        def change(body):
            return ask(boris, method, f"/users/{boris.id}", body)

        refused(change({"user_name": "gopher_anna"}), 409, "User already exists")
        refused(change({"email": "Anna@Example.ORG"}), 409, "E-mail address already taken")
        assert change({"email": "boris@example.org"}).status_code == 200
        assert change({"email": "BORIS@example.org"}).status_code == 200

    def test_somebody_elses(self, ask, anna, person, refused, method):
        answer = ask(person("gopher_boris"), method, f"/users/{anna.id}", {"first_name": "Eve"})

        refused(answer, 403, "This needs the permission user:update_any")

    def test_nobodys(self, ask, root, refused, method):
        for body in ({"first_name": "Eve"}, {"is_active": False}, {"password": "gopher2!"}):
            refused(ask(root, method, f"/users/{2**40}", body), 404, "User not found")

    @pytest.mark.parametrize("field", ["password_hash", "roles", "deleted_at"])
    def test_fields_that_are_nobodys_to_send(self, ask, root, anna, method, field):
        assert ask(root, method, f"/users/{anna.id}", {field: 1}).status_code == 422

    @pytest.mark.parametrize("field", ["status", "id"])
    def test_fields_that_are_sent_back_change_nothing(
        self, ask, root, anna, method, field, refused
    ):
        answer = ask(root, method, f"/users/{anna.id}", {field: 0})
        refused(answer, 400, "No fields to update")


class TestFlags:
    def test_a_member_changes_neither_of_their_own(self, ask, anna, root, refused):
        path = f"/users/{anna.id}"

        refused(
            ask(anna, "PATCH", path, {"is_active": False}),
            403,
            "This needs the permission user:update_any",
        )
        refused(
            ask(anna, "PATCH", path, {"is_superuser": True}),
            403,
            "Only a superuser may change who is one",
        )
        assert ask(anna, "PATCH", path, {"is_active": True}).status_code == 200
        me = ask(anna, "GET", "/users/me").json()
        assert (me["is_active"], me["is_superuser"]) == (True, False)

    def test_a_helper_activates_and_makes_no_superuser(self, ask, helper, anna, refused):
        path = f"/users/{anna.id}"

        assert ask(helper, "PATCH", path, {"is_active": False}).json()["status"] == 0
        assert ask(helper, "PATCH", path, {"is_active": True}).json()["status"] == 1
        for user_id in (anna.id, helper.id):
            refused(
                ask(helper, "PATCH", f"/users/{user_id}", {"is_superuser": True}),
                403,
                "Only a superuser may change who is one",
            )

    @pytest.mark.parametrize(
        "body", [{"first_name": "Eve"}, {"password": "gopher2!"}, {"email": "eve@example.org"}]
    )
    def test_a_helper_does_not_touch_a_superuser(self, ask, helper, root, login, refused, body):
        sentence = "Only a superuser may change a superuser's account"

        refused(ask(helper, "PATCH", f"/users/{root.id}", body), 403, sentence)
        assert login("gopher_root", "gopher1!") == 200

    def test_nor_deletes_one(self, ask, helper, root, person, refused):
        other = person("gopher_other", is_superuser=True)
        sentence = "Only a superuser may change a superuser's account"

        refused(ask(helper, "DELETE", f"/users/{other.id}"), 403, sentence)
        assert ask(root, "GET", f"/users/{other.id}").status_code == 200

    def test_a_superuser_promotes_and_demotes_with_effect_at_once(self, ask, root, anna, refused):
        path = f"/users/{anna.id}"
        assert ask(anna, "GET", "/audit").status_code == 403
        ask(root, "PATCH", path, {"is_superuser": True})
        assert ask(anna, "GET", "/audit").status_code == 200
        ask(root, "PATCH", path, {"is_superuser": False})
        assert ask(anna, "GET", "/audit").status_code == 403


class TestDeactivated:
    def test_shut_out_at_once_and_cannot_log_in(self, ask, client, root, anna, login, refused):
        body = {"user_name": "gopher_anna", "password": "gopher1!"}
        pair = client.post("/api/auth/login", json=body).json()
        assert ask(anna, "GET", "/users/me").status_code == 200
        ask(root, "PATCH", f"/users/{anna.id}", {"is_active": False})

        refused(ask(anna, "GET", "/users/me"), 401, "Invalid or expired token")
        refused(client.post("/api/auth/login", json=body), 401, "Wrong password")
        refresh = {"refresh_token": pair["refresh_token"]}
        assert client.post("/api/auth/refresh", json=refresh).status_code == 401

    def test_can_log_in_again_once_activated(self, ask, root, anna, login):
        for active in (False, True):
            ask(root, "PATCH", f"/users/{anna.id}", {"is_active": active})

        assert login("gopher_anna", "gopher1!") == 200

    def test_the_sessions_from_before_stay_ended(self, ask, root, anna):
        """OWASP ASVS 5.0, 7.4.2: all sessions end when an account is disabled."""
        for active in (False, True):
            ask(root, "PATCH", f"/users/{anna.id}", {"is_active": active})

        assert ask(anna, "GET", "/users/me").status_code == 401

    def test_the_three_refusals_of_a_login_are_the_same(self, client, anna, person):
        person("gopher_gone", status=0)
        answers = [
            client.post("/api/auth/login", json={"user_name": name, "password": password})
            for name, password in (
                ("gopher_none", "gopher1!"),
                ("gopher_anna", "gopher2!"),
                ("gopher_gone", "gopher1!"),
            )
        ]
        told = {(each.status_code, each.content) for each in answers}
        assert told == {(401, b'{"detail":"Wrong password","error":"Wrong password"}')}


class TestLastSuperuser:
    @pytest.mark.parametrize(
        ("method", "body"),
        [
            ("PATCH", {"is_superuser": False}),
            ("PATCH", {"is_active": False}),
            ("PUT", {"is_active": False, "first_name": "Eve"}),
        ],
    )
    def test_is_neither_demoted_nor_deactivated(self, ask, root, refused, method, body):
        refused(ask(root, method, f"/users/{root.id}", body), 409, LAST)
        me = ask(root, "GET", "/users/me").json()
        assert (me["is_superuser"], me["is_active"], me["first_name"]) == (True, True, "Anna")

    @pytest.mark.parametrize("other", [{"status": 0}, {"is_superuser": False}])
    def test_an_inactive_or_plain_other_is_no_replacement(self, ask, root, person, refused, other):
        person("gopher_other", **{"is_superuser": True, **other})

        refused(ask(root, "PATCH", f"/users/{root.id}", {"is_superuser": False}), 409, LAST)

    def test_a_deleted_other_is_none_either(self, ask, root, person, refused):
        other = person("gopher_other", is_superuser=True)
        assert ask(root, "DELETE", f"/users/{other.id}").status_code == 204

        refused(ask(root, "PATCH", f"/users/{root.id}", {"is_active": False}), 409, LAST)

    def test_is_not_deleted_by_who_may_delete_anybody(self, ask, root, helper, refused):
        refused(ask(helper, "DELETE", f"/users/{root.id}"), 409, LAST)
        assert ask(root, "GET", "/users/me").status_code == 200

    def test_with_another_one_all_of_it_goes(self, ask, root, person):
        first, second = (person(f"gopher_{n}", is_superuser=True) for n in ("one", "two"))

        assert ask(root, "PATCH", f"/users/{first.id}", {"is_active": False}).status_code == 200
        assert ask(root, "DELETE", f"/users/{second.id}").status_code == 204
        assert ask(root, "DELETE", f"/users/{first.id}").status_code == 204

    def test_no_superuser_deletes_their_own_account(self, ask, root, person, refused):
        person("gopher_other", is_superuser=True)

        answer = ask(root, "DELETE", f"/users/{root.id}")
        refused(answer, 403, "A superuser cannot delete their own account")


class TestDelete:
    def test_ones_own(self, ask, anna, root, login):
        answer = ask(anna, "DELETE", f"/users/{anna.id}")

        assert (answer.status_code, answer.content) == (204, b"")
        assert ask(anna, "GET", "/users/me").status_code == 401
        assert login("gopher_anna", "gopher1!") == 401
        assert ask(root, "GET", "/users/gopher_anna").status_code == 404

    def test_anybodys_with_the_permission_and_name_and_address_are_free(
        self, ask, anna, helper, refused, person
    ):
        path = f"/users/{anna.id}"
        refused(
            ask(person("gopher_boris"), "DELETE", path),
            403,
            "This needs the permission user:delete_any",
        )
        assert ask(helper, "DELETE", path).status_code == 204
        refused(ask(helper, "DELETE", path), 404, "User not found")
        assert person("gopher_anna", email="ANNA@example.org").id != anna.id
        assert ask(anna, "GET", "/users/me").status_code == 401


class TestPassword:
    def change(self, ask, who, whose, **body):
        return ask(who, "PATCH", f"/users/{whose.id}", body)

    def age(self):
        execute("UPDATE sessions SET created_at = now() - interval '16 minutes'")

    def second_session(self, client):
        body = {"user_name": "gopher_anna", "password": "gopher1!"}
        token = client.post("/api/auth/login", json=body).json()["access_token"]
        return {"Authorization": f"Bearer {token}"}

    def test_with_the_present_one_ends_the_other_sessions_and_keeps_this_one(
        self, ask, client, anna, person, login
    ):
        boris, other = person("gopher_boris"), self.second_session(client)
        self.age()
        answer = self.change(ask, anna, anna, password="gopher2!", current_password="gopher1!")

        assert answer.status_code == 200
        assert ask(anna, "GET", "/users/me").status_code == 200
        assert client.get("/api/users/me", headers=other).status_code == 401
        assert ask(boris, "GET", "/users/me").status_code == 200
        assert (login("gopher_anna", "gopher2!"), login("gopher_anna", "gopher1!")) == (200, 401)
        assert login("gopher_boris", "gopher1!") == 200

    def test_a_fresh_login_is_proof_and_an_old_one_is_not(self, ask, anna, login, refused):
        assert self.change(ask, anna, anna, password="gopher2!").status_code == 200
        self.age()
        refused(self.change(ask, anna, anna, password="gopher3!"), 403, PROOF)
        assert login("gopher_anna", "gopher2!") == 200

    def test_an_address_needs_the_same_proof_unless_it_stays(self, ask, anna, refused):
        self.age()
        new, stays = "mine@example.org", "anna@example.org"
        for email in (new, None, "ANNA@example.org"):
            refused(self.change(ask, anna, anna, email=email, first_name="Eve"), 403, PROOF)
        me = ask(anna, "GET", "/users/me").json()
        assert (me["email"], me["first_name"]) == (stays, "Anna")

        assert self.change(ask, anna, anna, email=stays, first_name="Hanna").status_code == 200
        for proof in ("password", "current_password"):
            for email in (new, stays):
                changes = {"email": email, proof: "gopher1!"}
                assert self.change(ask, anna, anna, **changes).status_code == 200
                assert ask(anna, "GET", "/users/me").json()["email"] == email

    @pytest.mark.parametrize("wrong", ["gopher9!", "", "x" * 73])
    def test_a_wrong_present_one_changes_nothing(self, ask, anna, login, refused, wrong):
        answer = self.change(
            ask, anna, anna, password="gopher2!", current_password=wrong, first_name="Eve"
        )

        refused(answer, 403, PROOF)
        assert login("gopher_anna", "gopher1!") == 200
        assert ask(anna, "GET", "/users/me").json()["first_name"] == "Anna"

    def test_the_present_one_sent_along_is_no_change(self, ask, client, anna):
        other = self.second_session(client)
        self.age()
        body = {"password": "gopher1!", "password_confirm": "gopher1!", "first_name": "Hanna"}

        assert self.change(ask, anna, anna, **body).json()["first_name"] == "Hanna"
        assert client.get("/api/users/me", headers=other).status_code == 200

    @pytest.mark.parametrize("fixture", ["helper", "root"])
    def test_somebody_elses_by_who_may_ends_all_their_sessions(
        self, ask, anna, login, request, fixture
    ):
        who = request.getfixturevalue(fixture)
        self.age()

        assert self.change(ask, who, anna, password="gopher2!").status_code == 200
        assert ask(anna, "GET", "/users/me").status_code == 401
        assert ask(who, "GET", "/users/me").status_code == 200
        assert (login("gopher_anna", "gopher2!"), login("gopher_anna", "gopher1!")) == (200, 401)

    def test_who_may_change_anybodys_may_change_their_own(self, ask, helper, login):
        self.age()

        assert self.change(ask, helper, helper, password="gopher2!").status_code == 200
        assert ask(helper, "GET", "/users/me").status_code == 200

    def test_somebody_elses_by_a_member(self, ask, anna, person, login, refused):
        answer = self.change(ask, person("gopher_boris"), anna, password="gopher2!")

        refused(answer, 403, "This needs the permission user:update_any")
        assert login("gopher_anna", "gopher1!") == 200

    def test_a_weak_one_is_not_repeated_in_the_answer(self, ask, anna):
        answer = self.change(ask, anna, anna, password="weakest")

        assert answer.status_code == 422
        assert "weakest" not in answer.text

    def test_only_its_hash_is_stored(self, ask, anna):
        self.change(ask, anna, anna, password="gopher2!")
        row = fetch_one("SELECT * FROM users WHERE id = %s", (anna.id,))

        assert "gopher2!" not in repr(row)
        assert row["password_hash"].startswith("$2b$04$")
