"""Forgotten passwords and new addresses over HTTP."""

import re

import pytest

from repositories.sql import execute, fetch_one

CODE = re.compile(r"^[0-9]{6}:[A-Za-z0-9_-]{20,}$", re.MULTILINE)
BAD = "Invalid or expired token"


@pytest.fixture
def anna(person):
    return person("gopher_anna", email="anna@example.org")


@pytest.fixture
def send(client):
    def post(path, **body):
        return client.post(f"/api/auth/{path}", json=body)

    return post


@pytest.fixture
def reset(send):
    def post(code, password="gopher2!"):
        return send("password/reset", token=code, password=password, password_confirm=password)

    return post


@pytest.fixture
def code(send, mails):
    """The code in the mail to whom asks for a new password."""

    def forgot(email="anna@example.org"):
        send("password/forgot", email=email)
        return CODE.search(mails()[-1][2])[0]

    return forgot


def login(client, password, user_name="gopher_anna"):
    body = {"user_name": user_name, "password": password}
    return client.post("/api/auth/login", json=body).status_code


class TestForgot:
    def test_the_answer_is_the_same_for_known_and_unknown(self, anna, send, mails, person):
        person("gopher_gone", email="gone@example.org", status=0)
        answers = [
            send("password/forgot", email=email)
            for email in ("anna@example.org", "nobody@example.org", "gone@example.org")
        ]
        told = {(each.status_code, each.content) for each in answers}
        names = {frozenset(each.headers.keys()) for each in answers}

        assert len(told) == len(names) == 1
        assert answers[0].status_code == 202
        assert [to for to, _, _ in mails()] == ["anna@example.org"]

    @pytest.mark.parametrize("email", ["", "anna", "a@b@c.org", None, 7, "x" * 300 + "@x.org"])
    def test_what_is_no_address(self, send, email):
        answer = send("password/forgot", email=email)

        assert (answer.status_code, answer.json().keys()) == (422, {"detail", "error"})
        assert answer.json()["error"].startswith("email: ")

    def test_whom_it_is_for_is_not_the_askers_to_say(self, send):
        answer = send("password/forgot", email="anna@example.org", user_id=1)
        assert answer.status_code == 422


class TestReset:
    def test_sets_the_password_and_logs_out_everywhere(self, client, anna, person, code, reset):
        boris = person("gopher_boris")
        answer = reset(code())

        assert (answer.status_code, answer.content) == (204, b"")
        assert (login(client, "gopher2!"), login(client, "gopher1!")) == (200, 401)
        assert client.get("/api/users/me", headers=anna.headers).status_code == 401
        assert client.get("/api/users/me", headers=boris.headers).status_code == 200
        assert login(client, "gopher1!", "gopher_boris") == 200

    def test_the_code_is_good_for_one_use(self, client, anna, code, reset, refused):
        used = code()
        reset(used)

        refused(reset(used, "gopher3!"), 401, BAD)
        assert login(client, "gopher2!") == 200

    @pytest.mark.parametrize("password", ["short", "gopherrr", "gopher2!" * 5])
    def test_a_password_against_the_rules_leaves_the_code_good(self, anna, code, reset, password):
        good = code()
        answer = reset(good, password)

        assert (answer.status_code, answer.json()["error"][:10]) == (422, "password: ")
        assert password not in answer.text
        assert reset(good).status_code == 204

    def test_the_password_twice(self, anna, code, send):
        answer = send(
            "password/reset", token=code(), password="gopher2!", password_confirm="gopher3!"
        )
        assert answer.json()["error"] == "password_confirm: Passwords do not match"

    @pytest.mark.parametrize("bad", ["", "123456:abc", "x" * 256, "754321:xyz9AbC2DeF3GhI4JkL0"])
    def test_a_code_that_was_never_sent(self, anna, code, reset, refused, bad):
        code()
        refused(reset(bad), 401, BAD)

    @pytest.mark.parametrize("bad", ["x" * 257, "\0", None, 7])
    def test_what_cannot_be_a_code(self, reset, bad):
        assert reset(bad).status_code == 422

    def test_an_expired_one(self, anna, code, reset, refused):
        expired = code()
        execute("UPDATE tokens SET expires_at = now()")

        refused(reset(expired), 401, BAD)

    def test_a_token_of_the_token_service_is_none(self, client, anna, code, reset, refused):
        issued = client.post("/api/app/token").json()["token"]
        refused(reset(issued), 401, BAD)
        assert client.get(f"/api/app/valid/{issued}").json()["status"] is True

        sent = code()
        assert client.get(f"/api/app/valid/{sent}").json()["status"] is False
        assert reset(sent).status_code == 204

    def test_another_password_or_address_voids_it(self, client, anna, code, reset, refused):
        for changes in ({"password": "gopher5!"}, {"email": "anna@example.com"}):
            sent = code()
            path = f"/api/users/{anna.id}"
            assert client.patch(path, headers=anna.headers, json=changes).status_code == 200
            refused(reset(sent), 401, BAD)

    @pytest.mark.parametrize("column", ["status = 0", "deleted_at = now()"])
    def test_who_is_gone_meanwhile(self, anna, code, reset, refused, column):
        sent = code()
        execute("UPDATE users SET " + column)

        refused(reset(sent), 401, BAD)


class TestConfirm:
    def confirmed(self, user):
        row = fetch_one("SELECT email_confirmed_at FROM users WHERE id = %s", (user.id,))
        return row["email_confirmed_at"] is not None

    def last_code(self, mails):
        return CODE.search(mails()[-1][2])[0]

    @pytest.mark.parametrize(
        ("path", "extra"),
        [
            ("/api/auth/register", {"password_confirm": "gopher1!"}),
            ("/api/users/signup", {"password_confirm": "gopher1!"}),
            ("/api/users", {}),
        ],
    )
    def test_whoever_makes_an_account_with_an_address_is_asked(
        self, client, person, mails, send, path, extra
    ):
        root = person("gopher_root", is_superuser=True)
        names = {"user_name": "gopher_new", "first_name": "Anna", "last_name": "Petrova"}
        body = {**names, "password": "gopher1!", "email": "new@example.org", **extra}
        assert client.post(path, headers=root.headers, json=body).status_code == 201

        assert [to for to, _, _ in mails()] == ["new@example.org"]
        code = self.last_code(mails)
        assert send("email/confirm", token=code).status_code == 204
        assert send("email/confirm", token=code).status_code == 401

    def test_an_account_without_an_address_gets_no_mail(self, client, mails):
        names = {"user_name": "gopher_new", "first_name": "Anna", "last_name": "Petrova"}
        passwords = {"password": "gopher1!", "password_confirm": "gopher1!"}
        assert client.post("/api/users/signup", json={**names, **passwords}).status_code == 201

        assert mails() == []

    def test_a_changed_address_is_asked_about_and_voids_the_code_before(
        self, client, anna, mails, send, refused
    ):
        def change(email):
            path = f"/api/users/{anna.id}"
            client.patch(path, headers=anna.headers, json={"email": email})
            return self.last_code(mails)

        first = change("anna@example.com")
        second = change("anna@example.net")
        refused(send("email/confirm", token=first), 401, BAD)
        assert not self.confirmed(anna)
        assert send("email/confirm", token=second).status_code == 204
        assert self.confirmed(anna)
        assert [to for to, _, _ in mails()] == ["anna@example.com", "anna@example.net"]

        # What is confirmed stays so until the next address is.
        change("anna@example.org")
        assert self.confirmed(anna)

    def test_codes_of_another_purpose(self, client, anna, code, send, refused):
        issued = client.post("/api/app/token").json()["token"]

        refused(send("email/confirm", token=issued), 401, BAD)
        refused(send("email/confirm", token=code()), 401, BAD)

    @pytest.mark.parametrize("bad", ["x" * 257, None, 7])
    def test_what_cannot_be_a_code(self, send, bad):
        assert send("email/confirm", token=bad).status_code == 422
