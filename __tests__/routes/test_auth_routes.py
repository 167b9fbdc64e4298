"""Registration, login, tokens and sessions over HTTP."""

import base64
import json

import pytest
from jose import jwt as jose_jwt

from config.secrets import token_secrets
from repositories.sql import execute, fetch_one

FORM = "/api/login/access-token"
REGISTRATION = {
    "user_name": "gopher_carl",
    "password": "gopher1!",
    "password_confirm": "gopher1!",
    "first_name": "Карл",
    "last_name": "Ivanov",
}


def forged(header, claims, signature="c2ln"):
    parts = (header, json.dumps(claims) if isinstance(claims, dict) else claims)
    encoded = [base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, signature])


class TestRegister:
    def test_a_new_user_is_logged_in(self, client, bearer):
        response = client.post("/api/auth/register", json=REGISTRATION)

        assert response.status_code == 201
        me = client.get("/api/users/me", headers=bearer(response.json()["access_token"])).json()
        assert me["user_name"] == "gopher_carl"
        assert me["first_name"] == "Карл"
        assert me["middle_name"] is me["email"] is None
        assert (me["status"], me["is_active"], me["is_superuser"]) == (1, True, False)

    def test_the_optional_fields_are_kept(self, client, bearer):
        more = {"middle_name": "Олегович", "email": "Carl@example.org"}
        response = client.post("/api/auth/register", json={**REGISTRATION, **more})

        me = client.get("/api/users/me", headers=bearer(response.json()["access_token"])).json()
        assert me.items() >= more.items()

    def test_the_password_is_stored_as_a_hash(self, register):
        carl = register("gopher_carl")
        row = fetch_one("SELECT password_hash FROM users WHERE id = %s", (carl.id,))

        assert row["password_hash"].startswith("$2b$")

    def test_a_taken_name_is_409(self, client, anna):
        body = {**REGISTRATION, "user_name": anna.user_name}
        response = client.post("/api/auth/register", json=body)

        assert response.status_code == 409
        assert response.json() == {"detail": "User already exists", "error": "User already exists"}

    def test_a_taken_address_is_409_in_any_case(self, client, register):
        register("gopher_anna", email="anna@example.org")
        body = {**REGISTRATION, "email": "ANNA@example.org"}
        response = client.post("/api/auth/register", json=body)

        assert response.status_code == 409
        assert response.json()["error"] == "E-mail address already taken"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("user_name", "abcd"),
            ("user_name", "1abcde"),
            ("user_name", "abcde\n"),
            ("user_name", "a" * 31),
            ("user_name", "Signup"),
            ("password", "gopher11"),
            ("password", "gо1!"),
            ("password_confirm", "gopher2!"),
            ("first_name", "Anna1"),
            ("first_name", "Анна\n"),
            ("last_name", ""),
            ("middle_name", "a b"),
            ("email", "nobody"),
            ("is_superuser", True),
            ("status", 1),
        ],
    )
    def test_what_breaks_a_rule_is_422_and_named(self, client, field, value):
        response = client.post("/api/auth/register", json={**REGISTRATION, field: value})

        assert response.status_code == 422
        assert ["body", field] in [fault["loc"] for fault in response.json()["detail"]]
        assert fetch_one("SELECT count(*) AS users FROM users") == {"users": 0}

    @pytest.mark.parametrize("field", REGISTRATION)
    def test_every_required_field_is_required(self, client, field):
        body = {name: value for name, value in REGISTRATION.items() if name != field}
        response = client.post("/api/auth/register", json=body)

        assert response.status_code == 422
        assert response.json()["error"].startswith(f"{field}: ")


class TestLogin:
    def test_each_login_is_a_session_of_its_own(self, client, anna, log_in, is_in, bearer):
        first, second = log_in(anna), log_in(anna)

        client.post("/api/auth/logout", headers=bearer(first["access_token"]))
        assert not is_in(first["access_token"])
        assert is_in(second["access_token"])
        assert is_in(anna.access_token)

    @pytest.mark.parametrize(
        ("user_name", "password"),
        [
            ("gopher_anna", "wrong"),
            ("gopher_anna", ""),
            ("gopher_anna", "gopher1!" + "x" * 100),
            ("gopher_nobody", "gopher1!"),
            ("GOPHER_ANNA", "gopher1!"),
            ("", ""),
            ("' OR 1=1 --", "gopher1!"),
        ],
    )
    def test_whatever_is_wrong_it_is_the_same_401(self, client, anna, boris, user_name, password):
        body = {"user_name": user_name, "password": password}
        response = client.post("/api/auth/login", json=body)

        assert response.status_code == 401
        assert response.json() == {"detail": "Wrong password", "error": "Wrong password"}

    @pytest.mark.parametrize("end", ["deactivated", "deleted"])
    def test_so_is_the_login_of_a_user_who_is_gone(self, client, anna, boris, deactivate, end):
        if end == "deleted":
            client.delete(f"/api/users/{anna.id}", headers=anna.headers)
        else:
            deactivate(anna)
        body = {"user_name": anna.user_name, "password": anna.password}

        for path, sent in [
            ("/api/auth/login", {"json": body}),
            (FORM, {"data": {"username": anna.user_name, "password": anna.password}}),
        ]:
            response = client.post(path, **sent)
            assert response.status_code == 401
            assert response.json() == {"detail": "Wrong password", "error": "Wrong password"}

    @pytest.mark.parametrize(
        "body",
        [{}, {"user_name": "gopher_anna"}, {"user_name": 1, "password": "x"}, {"a": 1}, [], "x"],
    )
    def test_what_is_no_login_is_422(self, client, body):
        assert client.post("/api/auth/login", json=body).status_code == 422


class TestPasswordForm:
    def test_its_token_is_an_access_token(self, client, anna, is_in):
        data = {"username": anna.user_name, "password": anna.password}
        response = client.post(FORM, data=data)

        assert response.status_code == 200
        assert response.json()["token_type"] == "bearer"
        assert is_in(response.json()["access_token"])

    def test_what_swagger_ui_sends_beside_is_fine(self, client, anna):
        data = {
            "grant_type": "password",
            "username": anna.user_name,
            "password": anna.password,
            "scope": "",
            "client_id": "",
            "client_secret": "",
        }
        assert client.post(FORM, data=data).status_code == 200

    def test_a_wrong_password_is_401(self, client, anna):
        data = {"username": anna.user_name, "password": "wrong"}
        response = client.post(FORM, data=data)

        assert response.status_code == 401
        assert response.json()["error"] == "Wrong password"

    @pytest.mark.parametrize(
        "data",
        [{}, {"username": "gopher_anna"}, {"username": "a", "password": "b", "grant_type": "code"}],
    )
    def test_what_is_not_the_password_grant_is_422(self, client, data):
        assert client.post(FORM, data=data).status_code == 422

    def test_json_is_no_form(self, client, anna):
        body = {"username": anna.user_name, "password": anna.password}

        assert client.post(FORM, json=body).status_code == 422


class TestRefresh:
    @pytest.fixture
    def refresh(self, client):
        return lambda token: client.post("/api/auth/refresh", json={"refresh_token": token})

    @staticmethod
    def move_spent_back():
        execute("UPDATE refresh_tokens SET spent_at = spent_at - interval '11 seconds'")

    def test_the_new_pair_works_and_is_new(self, anna, refresh, is_in):
        response = refresh(anna.refresh_token)
        pair = response.json()

        assert response.status_code == 200
        assert len({*pair.values(), anna.access_token, anna.refresh_token}) == 4
        assert is_in(pair["access_token"])
        assert refresh(pair["refresh_token"]).status_code == 200

    def test_it_goes_on_with_the_same_session(self, client, anna, refresh, bearer):
        pair = refresh(anna.refresh_token).json()

        headers = bearer(pair["access_token"])
        assert len(client.get("/api/auth/sessions", headers=headers).json()) == 1

    def test_two_tabs_within_ten_seconds_both_get_a_working_pair(self, anna, refresh, is_in):
        for _ in range(2):
            pair = refresh(anna.refresh_token).json()
            assert is_in(pair["access_token"])
            assert refresh(pair["refresh_token"]).status_code == 200

    def test_a_later_reuse_ends_that_session_alone(self, anna, boris, log_in, refresh, is_in):
        other = log_in(anna)
        pair = refresh(anna.refresh_token).json()
        self.move_spent_back()

        assert refresh(anna.refresh_token).status_code == 401
        assert not is_in(pair["access_token"])
        assert not is_in(anna.access_token)
        assert refresh(pair["refresh_token"]).status_code == 401
        assert is_in(other["access_token"])
        assert refresh(other["refresh_token"]).status_code == 200
        assert is_in(boris.access_token)

    def test_a_reuse_of_what_has_ended_is_401_again(self, anna, refresh):
        refresh(anna.refresh_token)
        self.move_spent_back()

        assert [refresh(anna.refresh_token).status_code for _ in range(2)] == [401, 401]

    def test_rotation_goes_on_as_long_as_the_newest_is_used(self, anna, refresh):
        token = anna.refresh_token
        for _ in range(3):
            token = refresh(token).json()["refresh_token"]
            self.move_spent_back()

        assert refresh(token).status_code == 200

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "a" * 4096, "Bearer x"])
    def test_what_is_no_token_is_401(self, anna, refresh, token):
        response = refresh(token)

        assert response.status_code == 401
        assert response.json()["error"] == "Invalid refresh token"

    def test_an_access_token_is_401(self, anna, refresh):
        assert refresh(anna.access_token).status_code == 401

    def test_an_expired_one_is_401(self, anna, refresh, sign):
        assert refresh(sign(anna, "refresh", -1)).status_code == 401

    def test_one_that_was_never_handed_out_is_401(self, anna, refresh, sign):
        assert refresh(sign(anna, "refresh", 3600)).status_code == 401

    def test_that_of_a_user_who_is_gone_is_401(self, client, anna, boris, refresh, deactivate):
        client.delete(f"/api/users/{anna.id}", headers=anna.headers)
        deactivate(boris)

        assert refresh(anna.refresh_token).status_code == 401
        assert refresh(boris.refresh_token).status_code == 401

    @pytest.mark.parametrize("body", [{}, {"refresh_token": 1}, {"refresh_token": "a" * 4097}])
    def test_what_is_no_text_is_422(self, client, body):
        assert client.post("/api/auth/refresh", json=body).status_code == 422


class TestLogout:
    def test_both_tokens_of_this_session_stop_working(self, client, anna, boris, log_in, is_in):
        other = log_in(anna)

        assert client.post("/api/auth/logout", headers=anna.headers).status_code == 204

        assert not is_in(anna.access_token)
        body = {"refresh_token": anna.refresh_token}
        assert client.post("/api/auth/refresh", json=body).status_code == 401
        assert is_in(other["access_token"])
        assert is_in(boris.access_token)

    def test_twice_is_401(self, client, anna):
        client.post("/api/auth/logout", headers=anna.headers)

        assert client.post("/api/auth/logout", headers=anna.headers).status_code == 401

    def test_the_access_token_of_before_a_refresh_stops_too(self, client, anna, is_in, bearer):
        body = {"refresh_token": anna.refresh_token}
        pair = client.post("/api/auth/refresh", json=body).json()
        client.post("/api/auth/logout", headers=bearer(pair["access_token"]))

        assert not is_in(anna.access_token)


class TestSessions:
    @pytest.fixture
    def sessions(self, client):
        def sessions(headers):
            response = client.get("/api/auth/sessions?limit=100", headers=headers)
            assert response.status_code == 200
            return response.json()

        return sessions

    def test_ones_own_are_listed_the_newest_first(self, anna, boris, log_in, sessions, bearer):
        second = log_in(anna)
        hers = sessions(anna.headers)

        assert [session["current"] for session in hers] == [False, True]
        assert [session["current"] for session in sessions(bearer(second["access_token"]))] == [
            True,
            False,
        ]
        assert len(sessions(boris.headers)) == 1

    def test_the_links_lead_to_the_end(self, anna, boris, log_in, sessions, follow):
        for _ in range(4):
            log_in(anna)
        pages = follow(anna, "/api/auth/sessions?limit=2")

        assert [len(page) for page in pages] == [2, 2, 1]
        assert [session for page in pages for session in page] == sessions(anna.headers)

    def test_one_can_be_ended(self, client, anna, log_in, sessions, is_in):
        other = log_in(anna)
        session_id = sessions(anna.headers)[0]["id"]
        path = f"/api/auth/sessions/{session_id}"

        assert client.delete(path, headers=anna.headers).status_code == 204

        assert not is_in(other["access_token"])
        assert is_in(anna.access_token)
        assert len(sessions(anna.headers)) == 1
        assert client.delete(path, headers=anna.headers).status_code == 404

    def test_somebody_elses_is_404_and_goes_on(self, client, anna, boris, sessions, is_in):
        session_id = sessions(boris.headers)[0]["id"]
        response = client.delete(f"/api/auth/sessions/{session_id}", headers=anna.headers)

        assert response.status_code == 404
        assert response.json()["error"] == "Session not found"
        assert is_in(boris.access_token)

    @pytest.mark.parametrize(
        ("session_id", "status"),
        [("0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b", 404), ("1", 422), ("%00", 422), ("x" * 36, 422)],
    )
    def test_what_is_not_there_is_404_and_no_id_is_422(self, client, anna, session_id, status):
        path = f"/api/auth/sessions/{session_id}"

        assert client.delete(path, headers=anna.headers).status_code == status

    def test_all_can_be_ended_at_once(self, client, anna, boris, log_in, is_in):
        other = log_in(anna)

        assert client.delete("/api/auth/sessions", headers=anna.headers).status_code == 204

        assert not is_in(anna.access_token)
        assert not is_in(other["access_token"])
        assert is_in(boris.access_token)
        log_in(anna)

    def test_what_another_worker_ended_is_out_within_a_second(
        self, anna, boris, is_in, a_second_passes
    ):
        assert is_in(anna.access_token)
        execute("UPDATE sessions SET ended_at = now() WHERE user_id = %s", (anna.id,))
        a_second_passes()

        assert not is_in(anna.access_token)
        assert is_in(boris.access_token)


class TestWhoIsNotKnown:
    """401 of all kinds, on an endpoint that only needs somebody to be known."""

    @pytest.fixture
    def ask(self, client):
        return lambda headers: client.get("/api/posts", headers=headers)

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "",
            "Bearer",
            "Bearer ",
            "Basic Z29waGVyOmdvcGhlcg==",
            "Bearer x",
            "Bearer a.b.c",
            "Bearer {token}x",
            "Bearer x{token}",
            "Bearer {token} {token}",
            "{token}",
            "Token {token}",
            "Bearer {token}\u00e9",
            "Bearer " + "a" * 5000,
        ],
    )
    def test_no_token_of_ours(self, ask, anna, value):
        headers = {} if value is None else {"Authorization": value.format(token=anna.access_token)}
        headers = {name: text.encode("latin-1") for name, text in headers.items()}

        assert ask(headers).status_code == 401

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_the_schemes_case_does_not_count(self, ask, anna, scheme):
        assert ask({"Authorization": f"{scheme} {anna.access_token}"}).status_code == 200

    def test_two_tokens_are_none(self, ask, anna, boris):
        both = [("Authorization", f"Bearer {user.access_token}") for user in (anna, boris)]

        for headers in (both, both[::-1], both[:1] * 2):
            assert ask(headers).status_code == 401

    def test_an_expired_token(self, ask, anna, sign, bearer):
        assert ask(bearer(sign(anna, "access", 60))).status_code == 200
        assert ask(bearer(sign(anna, "access", -1))).status_code == 401
        assert ask(bearer(sign(anna, "access", 0))).status_code == 401

    def test_a_refresh_token(self, ask, anna, bearer):
        assert ask(bearer(anna.refresh_token)).status_code == 401

    def test_a_logged_out_one(self, client, ask, anna):
        client.post("/api/auth/logout", headers=anna.headers)

        assert ask(anna.headers).status_code == 401

    def test_a_deleted_user(self, client, ask, anna, boris):
        client.delete(f"/api/users/{anna.id}", headers=anna.headers)

        assert ask(anna.headers).status_code == 401
        assert ask(boris.headers).status_code == 200

    def test_a_deactivated_user(self, ask, anna, boris, deactivate):
        assert ask(anna.headers).status_code == 200
        deactivate(anna)

        assert ask(anna.headers).status_code == 401
        assert ask(boris.headers).status_code == 200

    def test_a_session_of_somebody_else(self, ask, anna, boris, bearer):
        claims = jose_jwt.get_unverified_claims(anna.access_token)
        secret = token_secrets().access.encode()
        token = jose_jwt.encode({**claims, "sub": str(boris.id)}, secret, "HS256")

        assert ask(bearer(token)).status_code == 401

    @pytest.mark.parametrize("claim", ["sub", "exp", "iat", "jti", "type", "sid"])
    def test_a_token_without_a_claim(self, ask, anna, bearer, claim):
        claims = jose_jwt.get_unverified_claims(anna.access_token)
        secret = token_secrets().access.encode()
        assert ask(bearer(jose_jwt.encode(claims, secret, "HS256"))).status_code == 200
        del claims[claim]

        assert ask(bearer(jose_jwt.encode(claims, secret, "HS256"))).status_code == 401

    @pytest.mark.parametrize(
        "claims",
        [
            {"sub": "0"},
            {"sub": "9" * 19},
            {"sub": "9" * 5000},
            {"sub": "-1"},
            {"sub": "²"},
            {"sid": "no uuid"},
            {"sid": "\0"},
            {"sid": "\ud800"},
        ],
    )
    def test_a_signed_token_with_odd_claims(self, ask, anna, bearer, claims):
        known = jose_jwt.get_unverified_claims(anna.access_token)
        secret = token_secrets().access.encode()
        token = jose_jwt.encode({**known, **claims}, secret, "HS256")

        assert ask(bearer(token)).status_code == 401

    @pytest.mark.parametrize("secret", ["refresh", "other"])
    def test_another_secret(self, ask, anna, bearer, secret):
        claims = jose_jwt.get_unverified_claims(anna.access_token)
        key = getattr(token_secrets(), secret, "x" * 32).encode()

        assert ask(bearer(jose_jwt.encode(claims, key, "HS256"))).status_code == 401

    @pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
    def test_another_algorithm(self, ask, anna, bearer, algorithm):
        claims = jose_jwt.get_unverified_claims(anna.access_token)
        key = token_secrets().access.encode()

        assert ask(bearer(jose_jwt.encode(claims, key, algorithm))).status_code == 401

    @pytest.mark.parametrize(
        "header",
        ['{"alg":"none"}', '{"alg":"HS256"}', "[" * 1000, "{}", "", "null", '{"alg":["HS256"]}'],
    )
    @pytest.mark.parametrize("signature", ["", "c2ln"])
    def test_a_forged_one(self, ask, anna, bearer, header, signature):
        claims = jose_jwt.get_unverified_claims(anna.access_token)

        assert ask(bearer(forged(header, claims, signature))).status_code == 401

    @pytest.mark.parametrize("claims", ['{"exp":1e400}', "[" * 1000, "null", "\0", '{"exp":NaN}'])
    def test_forged_claims(self, ask, bearer, db, claims):
        token = forged('{"alg":"HS256","typ":"JWT"}', claims)

        assert ask(bearer(token)).status_code == 401
