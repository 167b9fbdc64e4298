"""Users over HTTP: reading them, changing and deleting oneself."""

import pytest

from repositories.sql import execute, fetch_one

BOTH_WAYS = pytest.mark.parametrize("method", ["PUT", "PATCH"])
NEW = "gopher2!"


@pytest.fixture
def change(client):
    """Change a user: `change(anna, first_name="Hanna")`; `method=` and `headers=` at will."""

    def change(member, method="PATCH", headers=None, **fields):
        path = f"/api/users/{member.id}"
        return client.request(method, path, json=fields, headers=headers or member.headers)

    return change


class TestRead:
    def test_the_list_is_everybody_by_id(self, client, anna, boris, register):
        carl = register("gopher_carl")
        client.delete(f"/api/users/{boris.id}", headers=boris.headers)
        response = client.get("/api/users", headers=carl.headers)

        assert [user["user_name"] for user in response.json()] == ["gopher_anna", "gopher_carl"]
        assert response.json()[0]["first_name"] == "Anna"

    def test_the_links_lead_to_the_end(self, client, anna, register, follow):
        for number in range(4):
            register(f"gopher_{number}")

        pages = follow(anna, "/api/users?limit=2")

        assert [len(page) for page in pages] == [2, 2, 1]
        users = [user for page in pages for user in page]
        assert users == client.get("/api/users", headers=anna.headers).json()

    def test_a_link_goes_on_from_the_offset(self, client, anna, boris, register):
        register("gopher_carl")
        response = client.get("/api/users?limit=1&offset=1", headers=anna.headers)

        assert [user["id"] for user in response.json()] == [boris.id]
        assert response.links["next"]["url"] == "/api/users?limit=1&offset=2"

    def test_ten_are_a_page_if_nothing_is_said(self, client, anna, register):
        for number in range(10):
            register(f"gopher_{number}")

        assert len(client.get("/api/users", headers=anna.headers).json()) == 10
        assert len(client.get("/api/users?limit=100", headers=anna.headers).json()) == 11

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=101", "limit=-1", "limit=a", "limit=", "offset=-1", "limit=1.0"]
    )
    def test_a_page_out_of_bounds_is_422(self, client, anna, query):
        assert client.get(f"/api/users?{query}", headers=anna.headers).status_code == 422

    def test_me_is_ones_own_full_profile(self, client, register, boris):
        anna = register("gopher_anna", middle_name="Maria", email="anna@example.org")
        me = client.get("/api/users/me", headers=anna.headers).json()

        assert (me["id"], me["middle_name"], me["email"]) == (anna.id, "Maria", "anna@example.org")
        assert client.get("/api/users/me", headers=boris.headers).json()["id"] == boris.id

    def test_others_are_read_by_id_and_by_name_without_what_is_private(
        self, client, anna, register
    ):
        boris = register("gopher_boris", email="boris@example.org")
        by_id = client.get(f"/api/users/{boris.id}", headers=anna.headers)
        by_name = client.get("/api/users/gopher_boris", headers=anna.headers)

        assert by_id.status_code == 200
        assert by_id.json() == by_name.json()
        assert by_id.json()["id"] == boris.id
        assert "example.org" not in by_id.text

    @pytest.mark.parametrize(
        ("ref", "status"),
        [
            ("999999", 404),
            (str(2**53 - 1), 404),
            ("gopher_nobody", 404),
            ("GOPHER_ANNA", 404),
            ("0", 422),
            ("-1", 422),
            ("+1", 422),
            ("1.0", 422),
            ("\u0661", 422),
            (str(2**53), 422),
            ("abc", 422),
            ("1gopher", 422),
            ("a" * 31, 422),
            ("gopher%20anna", 422),
            ("gopher_anna%0A", 422),
            ("gopher_anna%00", 422),
        ],
    )
    def test_nobody_is_404_and_what_names_nobody_is_422(self, client, anna, ref, status):
        assert client.get(f"/api/users/{ref}", headers=anna.headers).status_code == status

    def test_a_deleted_user_is_404(self, client, anna, boris):
        client.delete(f"/api/users/{boris.id}", headers=boris.headers)

        for ref in (boris.id, boris.user_name):
            response = client.get(f"/api/users/{ref}", headers=anna.headers)
            assert response.status_code == 404
            assert response.json()["error"] == "User not found"

    def test_a_deactivated_user_is_shown_as_such(self, client, anna, boris, deactivate):
        deactivate(boris)

        response = client.get(f"/api/users/{boris.id}", headers=anna.headers)
        assert response.json()["status"] == 0


@BOTH_WAYS
class TestChange:
    @pytest.mark.parametrize(
        "fields",
        [
            {"first_name": "Ханна"},
            {"last_name": "B"},
            {"middle_name": "C"},
            {"middle_name": None},
            {"email": "hanna@example.org"},
            {"email": None},
            {"user_name": "gopher_hanna", "first_name": "Hanna"},
        ],
    )
    def test_only_the_fields_that_are_sent_change(
        self, client, register, boris, change, method, fields
    ):
        anna = register("gopher_anna", middle_name="Maria", email="anna@example.org")
        before = [client.get("/api/users/me", headers=u.headers).json() for u in (anna, boris)]
        response = change(anna, method, **fields)
        after = [client.get("/api/users/me", headers=u.headers).json() for u in (anna, boris)]

        assert response.status_code == 200
        assert after == [
            {**before[0], **fields, "updated_at": response.json()["updated_at"]},
            before[1],
        ]

    def test_nothing_sent_is_400(self, change, anna, method):
        response = change(anna, method)

        assert response.status_code == 400
        assert response.json()["error"] == "No fields to update"

    def test_somebody_else_is_403(self, client, change, anna, boris, method):
        response = change(anna, method, headers=boris.headers, first_name="Mallory")

        assert response.status_code == 403
        assert client.get("/api/users/me", headers=anna.headers).json()["first_name"] == "Anna"

    def test_so_is_a_user_who_is_not_there(self, client, anna, method):
        response = client.request(
            method, "/api/users/999", json={"first_name": "A"}, headers=anna.headers
        )
        assert response.status_code == 403

    def test_without_a_token_it_is_401(self, client, anna, method):
        body = {"first_name": "Mallory"}

        assert client.request(method, f"/api/users/{anna.id}", json=body).status_code == 401

    def test_a_taken_name_or_address_is_409(self, change, anna, register, method):
        register("gopher_boris", email="boris@example.org")

        assert change(anna, method, user_name="gopher_boris").status_code == 409
        assert change(anna, method, email="BORIS@example.org").status_code == 409

    def test_what_breaks_a_rule_is_422(self, change, anna, method):
        for fields in (
            {"user_name": "abc"},
            {"user_name": None},
            {"first_name": "Anna1"},
            {"first_name": None},
            {"email": "nobody"},
            {"password": None},
            {"password": "gopher"},
            {"password": NEW, "password_confirm": "gopher3!"},
            {"password_confirm": NEW},
            {"is_superuser": None},
            {"is_superuser": 1},
            {"is_active": None},
            {"is_active": "no"},
            {"password_hash": "x"},
            {"session_id": "x"},
        ):
            assert change(anna, method, **fields).status_code == 422, fields

    def test_a_reserved_name_is_422_unless_one_has_it_already(self, change, anna, person, method):
        refused = change(anna, method, user_name="Admin")
        kept = change(person("moderator"), method, user_name="moderator", first_name="Clara")

        assert (refused.status_code, kept.status_code) == (422, 200)
        assert refused.json()["error"] == "user_name: This name is reserved"
        assert refused.json()["detail"][0]["loc"] == ["body", "user_name"]

    @pytest.mark.parametrize(
        ("flag", "sentence"),
        [
            ({"is_superuser": True}, "Only a superuser may change who is one"),
            ({"is_active": False}, "This needs the permission user:update_any"),
        ],
    )
    def test_the_flags_are_not_ones_own(
        self, client, change, anna, refused, method, flag, sentence
    ):
        before = client.get("/api/users/me", headers=anna.headers).json()

        refused(change(anna, method, first_name="Hanna", **flag), 403, sentence)
        assert client.get("/api/users/me", headers=anna.headers).json() == before

    @pytest.mark.parametrize(
        ("ref", "of_anna", "of_root"),
        [
            ("me", 405, 405),
            ("signup", 405, 405),
            ("gopher_anna", 422, 422),  # one's own name passes the guard
            ("gopher_boris", 403, 422),
            ("0", 403, 422),
            ("a b", 403, 422),
            (str(2**53), 403, 422),
            (str(2**53 - 1), 403, 404),
        ],
    )
    def test_only_an_id_names_whom_to_change(
        self, client, anna, boris, root, method, ref, of_anna, of_root
    ):
        """Who may not change others does not learn whether there are any."""
        path, body = f"/api/users/{ref}", {"first_name": "A"}
        answers = [
            client.request(method, path, json=body, headers=who.headers).status_code
            for who in (anna, root)
        ]
        assert answers == [of_anna, of_root]

    def test_a_user_who_is_gone_in_the_meantime_is_404(
        self, change, anna, delete_elsewhere, method
    ):
        delete_elsewhere(anna)

        assert change(anna, method, first_name="A").status_code == 404


def test_a_token_stays_its_users_after_a_rename(client, anna, change, register):
    change(anna, user_name="gopher_hanna")
    other = register("gopher_anna")

    assert client.get("/api/users/me", headers=anna.headers).json()["id"] == anna.id
    assert client.get("/api/users/me", headers=other.headers).json()["id"] == other.id


class TestPassword:
    @pytest.fixture
    def stale(self):
        """Make all sessions of a member older than the fifteen minutes that prove a change."""

        def stale(member):
            execute(
                "UPDATE sessions SET created_at = now() - interval '16 minutes' WHERE user_id = %s",
                (member.id,),
            )

        return stale

    @pytest.fixture
    def logs_in_with(self, client, anna):
        """The password that works for Anna."""

        def logs_in_with(password):
            body = {"user_name": anna.user_name, "password": password}
            return client.post("/api/auth/login", json=body).status_code == 200

        return logs_in_with

    @BOTH_WAYS
    def test_a_fresh_login_is_proof_enough(self, change, anna, logs_in_with, method):
        assert change(anna, method, password=NEW, password_confirm=NEW).status_code == 200

        assert logs_in_with(NEW)
        assert not logs_in_with(anna.password)

    @BOTH_WAYS
    def test_an_old_one_is_not(self, client, change, anna, stale, logs_in_with, method):
        stale(anna)
        response = change(anna, method, password=NEW, password_confirm=NEW, first_name="Hanna")

        assert response.status_code == 403
        assert "current_password" in response.json()["error"]
        assert logs_in_with(anna.password)
        assert client.get("/api/users/me", headers=anna.headers).json()["first_name"] == "Anna"

    def test_a_refresh_does_not_make_it_young(self, client, change, anna, stale, bearer):
        stale(anna)
        body = {"refresh_token": anna.refresh_token}
        pair = client.post("/api/auth/refresh", json=body).json()

        headers = bearer(pair["access_token"])
        assert change(anna, headers=headers, password=NEW).status_code == 403

    def test_the_present_password_is_proof_for_an_old_login(
        self, change, anna, boris, stale, logs_in_with
    ):
        stale(anna)
        response = change(anna, password=NEW, current_password=anna.password)

        assert response.status_code == 200
        assert logs_in_with(NEW)

    @pytest.mark.parametrize("old", [True, False])
    @pytest.mark.parametrize("proof", ["wrong", "", NEW, "gopher1!" + "x" * 80])
    def test_a_wrong_one_never_is(self, change, anna, stale, logs_in_with, old, proof):
        if old:
            stale(anna)

        assert change(anna, password=NEW, current_password=proof).status_code == 403
        assert logs_in_with(anna.password)

    def test_it_ends_the_other_sessions_and_not_ones_own(
        self, client, change, anna, boris, log_in, is_in
    ):
        other = log_in(anna)
        change(anna, password=NEW)

        assert not is_in(other["access_token"])
        body = {"refresh_token": other["refresh_token"]}
        assert client.post("/api/auth/refresh", json=body).status_code == 401
        assert is_in(anna.access_token)
        body = {"refresh_token": anna.refresh_token}
        assert client.post("/api/auth/refresh", json=body).status_code == 200
        assert is_in(boris.access_token)

    @pytest.mark.parametrize("old", [True, False])
    def test_the_present_password_sent_along_changes_nothing_and_ends_nothing(
        self, change, anna, stale, log_in, is_in, old
    ):
        other = log_in(anna)
        if old:
            stale(anna)
        query = "SELECT password_hash FROM users WHERE id = %s"
        before = fetch_one(query, (anna.id,))
        response = change(
            anna,
            "PUT",
            user_name=anna.user_name,
            first_name="Hanna",
            last_name="Petrova",
            password=anna.password,
            password_confirm=anna.password,
        )

        assert response.status_code == 200
        assert response.json()["first_name"] == "Hanna"
        assert fetch_one(query, (anna.id,)) == before
        assert is_in(other["access_token"])

    def test_the_present_password_alone_answers_the_user(self, change, anna, is_in):
        response = change(anna, password=anna.password)

        assert response.status_code == 200
        assert response.json()["user_name"] == anna.user_name

    def test_a_conflict_beside_it_keeps_the_password_and_the_sessions(
        self, change, anna, boris, log_in, is_in, logs_in_with
    ):
        other = log_in(anna)
        response = change(anna, password=NEW, user_name=boris.user_name)

        assert response.status_code == 409
        assert logs_in_with(anna.password)
        assert is_in(other["access_token"])

    def test_the_proof_alone_is_no_change(self, change, anna):
        assert change(anna, current_password=anna.password).status_code == 400

    def test_somebody_else_cannot_even_with_the_password(self, change, anna, boris, logs_in_with):
        response = change(anna, headers=boris.headers, password=NEW, current_password=anna.password)
        assert response.status_code == 403
        assert logs_in_with(anna.password)


class TestDelete:
    def test_the_user_is_shut_out_everywhere_at_once(self, client, anna, boris, log_in, is_in):
        other = log_in(anna)
        assert is_in(other["access_token"])
        response = client.delete(f"/api/users/{anna.id}", headers=anna.headers)

        assert response.status_code == 204
        assert not is_in(anna.access_token)
        assert not is_in(other["access_token"])
        body = {"refresh_token": other["refresh_token"]}
        assert client.post("/api/auth/refresh", json=body).status_code == 401
        assert is_in(boris.access_token)

    def test_the_name_and_the_address_are_free_again(self, client, register):
        first = register("gopher_anna", email="anna@example.org")
        client.delete(f"/api/users/{first.id}", headers=first.headers)
        second = register("gopher_anna", email="anna@example.org")

        assert second.id != first.id
        assert client.get("/api/users/me", headers=first.headers).status_code == 401

    def test_the_posts_stay_without_the_name(self, client, anna, boris, write):
        post = write(anna, "I was here")
        client.delete(f"/api/users/{anna.id}", headers=anna.headers)
        response = client.get(f"/api/posts/{post}", headers=boris.headers)

        assert response.json()["text"] == "I was here"
        assert response.json()["user"] == {
            "id": anna.id,
            "user_name": "deleted",
            "first_name": "deleted",
            "last_name": "deleted",
        }
        assert "Petrova" not in client.get("/api/posts", headers=boris.headers).text

    def test_nobody_deletes_somebody_else(self, client, anna, boris, is_in):
        assert client.delete(f"/api/users/{boris.id}", headers=anna.headers).status_code == 403
        assert client.delete("/api/users/999", headers=anna.headers).status_code == 403
        assert client.delete(f"/api/users/{boris.id}").status_code == 401
        assert is_in(boris.access_token)

    @pytest.mark.parametrize(
        ("ref", "of_anna", "of_root"),
        [
            ("me", 405, 405),
            ("signup", 405, 405),
            ("gopher_anna", 422, 422),  # one's own name passes the guard
            ("0", 403, 422),
            ("-1", 403, 422),
            (str(2**53), 403, 422),
            (str(2**53 - 1), 403, 404),
        ],
    )
    def test_only_an_id_names_whom_to_delete(self, client, anna, root, ref, of_anna, of_root):
        path = f"/api/users/{ref}"
        answers = [client.delete(path, headers=who.headers).status_code for who in (anna, root)]

        assert answers == [of_anna, of_root]

    def test_twice_at_once_is_404_for_the_second(self, client, anna, delete_elsewhere):
        delete_elsewhere(anna)

        assert client.delete(f"/api/users/{anna.id}", headers=anna.headers).status_code == 404
