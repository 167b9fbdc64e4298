"""Forgotten passwords and unconfirmed addresses: who gets a mail, and what its code is good for."""

import re

import bcrypt
import pytest

from config import mail
from repositories import session_repository, user_repository
from repositories.sql import execute, fetch_all, fetch_one
from services import recovery_service, user_service
from utils import later
from utils.errors import InvalidCredentials

CODE = re.compile(r"^[0-9]{6}:[A-Za-z0-9_-]{20,}$", re.MULTILINE)


def code_in(sent):
    return CODE.search(sent[2])[0]


@pytest.fixture
def anna(person):
    return person("gopher_anna", email="anna@example.org")


@pytest.fixture
def boris(person):
    return person("gopher_boris", email="boris@example.org")


def forgot(email, mails):
    """The mail that was sent because of this, or None."""
    before = len(mails())
    recovery_service.forgot_password(email)
    new = mails()[before:]
    return new[0] if new else None


def confirmed(user):
    query = "SELECT email_confirmed_at IS NOT NULL AS it_is FROM users WHERE id = %s"
    return fetch_one(query, (user.id,))["it_is"]


class TestForgotPassword:
    def test_the_mail_has_a_code_that_sets_a_new_password_once(self, anna, boris, mails):
        to, subject, text = forgot("anna@example.org", mails)
        code = code_in((to, subject, text))
        recovery_service.reset_password(code, "gopher2!")

        assert to == "anna@example.org"
        assert "60 minutes" in text
        assert bcrypt.checkpw(b"gopher2!", user_repository.get_password_hash(anna.id).encode())
        assert bcrypt.checkpw(b"gopher1!", user_repository.get_password_hash(boris.id).encode())
        with pytest.raises(InvalidCredentials, match=r"^Invalid or expired token$"):
            recovery_service.reset_password(code, "gopher3!")

    def test_case_does_not_matter_and_the_mail_goes_to_the_address_of_the_user(self, anna, mails):
        assert forgot("ANNA@Example.ORG", mails)[0] == "anna@example.org"

    @pytest.mark.parametrize("typed", ["mİke@example.org", "MIKE@example.org"])
    def test_an_address_that_only_folds_to_the_users_gets_no_mail(self, person, mails, typed):
        """PostgreSQL's lower() makes `i` of a dotted capital I: another mailbox than the user's."""
        person("gopher_mike", email="mike@example.org")
        sent = forgot(typed, mails)

        assert sent is None or sent[0] == "mike@example.org"

    @pytest.mark.parametrize("gone", ["status = 0", "deleted_at = now()"])
    def test_who_is_gone_or_unknown_gets_none(self, anna, mails, gone):
        execute("UPDATE users SET " + gone)

        assert forgot("anna@example.org", mails) is None
        assert forgot("nobody@example.org", mails) is None
        assert fetch_all("SELECT 1 FROM tokens") == []

    def test_asking_again_mails_the_same_code(self, anna, mails):
        first = code_in(forgot("anna@example.org", mails))
        assert code_in(forgot("anna@example.org", mails)) == first

        recovery_service.reset_password(first, "gopher2!")
        with pytest.raises(InvalidCredentials):
            recovery_service.reset_password(first, "gopher3!")
        assert code_in(forgot("anna@example.org", mails)) != first

    def test_a_reset_ends_all_sessions_of_this_user_alone(self, anna, boris, mails):
        recovery_service.reset_password(code_in(forgot("anna@example.org", mails)), "gopher2!")

        assert session_repository.get_sessions(anna.id, "0" * 32, 10, 0) == []
        assert len(session_repository.get_sessions(boris.id, "0" * 32, 10, 0)) == 1

    def test_a_reset_that_fails_half_way_leaves_the_code_good(self, anna, mails, monkeypatch):
        code = code_in(forgot("anna@example.org", mails))
        with monkeypatch.context() as broken:
            broken.setattr(session_repository, "end_sessions", lambda *args, **named: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                recovery_service.reset_password(code, "gopher2!")

        assert bcrypt.checkpw(b"gopher1!", user_repository.get_password_hash(anna.id).encode())
        recovery_service.reset_password(code, "gopher2!")

    def test_a_bad_code_costs_no_hash(self, anna, monkeypatch):
        monkeypatch.setattr("bcrypt.hashpw", lambda *args: pytest.fail("hashed for a bad code"))
        with pytest.raises(InvalidCredentials):
            recovery_service.reset_password("123456:abcdefghijklmnopqrstuvwx", "gopher2!")

    def test_a_mail_that_cannot_be_sent_is_logged_without_its_code(self, anna, monkeypatch, caplog):
        def refuse(to, subject, text):
            codes.append(CODE.search(text)[0])
            raise OSError("the mail server is on fire")

        codes = []
        monkeypatch.setattr(mail, "send", refuse)
        recovery_service.forgot_password("anna@example.org")
        later.finish(10)

        assert "on fire" in caplog.text
        assert codes[0] not in caplog.text


class TestConfirmEmail:
    def test_the_code_confirms_the_address_once(self, anna, boris, mails):
        recovery_service.request_confirmation(anna.id, "anna@example.org")
        code = code_in(mails()[0])
        recovery_service.confirm_email(code)

        assert (confirmed(anna), confirmed(boris)) == (True, False)
        with pytest.raises(InvalidCredentials, match=r"^Invalid or expired token$"):
            recovery_service.confirm_email(code)

    def test_nobody_is_asked_twice(self, anna, mails):
        recovery_service.request_confirmation(anna.id, "anna@example.org")
        recovery_service.confirm_email(code_in(mails()[0]))
        recovery_service.request_confirmation(anna.id, "anna@example.org")

        assert len(mails()) == 1

    def test_a_reset_code_confirms_nothing_and_the_other_way_round(self, anna, mails):
        reset = code_in(forgot("anna@example.org", mails))
        recovery_service.request_confirmation(anna.id, "anna@example.org")
        confirm = code_in(mails()[-1])
        with pytest.raises(InvalidCredentials):
            recovery_service.confirm_email(reset)
        with pytest.raises(InvalidCredentials):
            recovery_service.reset_password(confirm, "gopher2!")

        assert not confirmed(anna)

    def test_another_address_voids_the_code(self, anna, mails):
        recovery_service.request_confirmation(anna.id, "anna@example.org")
        code = code_in(mails()[0])
        user_service.update(anna.id, {"email": "anna@example.com"})
        with pytest.raises(InvalidCredentials):
            recovery_service.confirm_email(code)

        to, _, _ = mails()[-1]
        recovery_service.confirm_email(code_in(mails()[-1]))
        assert (to, confirmed(anna)) == ("anna@example.com", True)

    def test_a_mail_that_was_overtaken_by_another_address_has_no_good_code(
        self, anna, mails, monkeypatch
    ):
        """Or its reader would confirm an address that somebody else reads."""
        waiting = []
        monkeypatch.setattr(recovery_service, "run_later", lambda *work: waiting.append(work))
        user_service.update(anna.id, {"email": "mine@example.org"})
        user_service.update(anna.id, {"email": "victim@example.org"})
        for function, *args in reversed(waiting):
            function(*args)
        for each in mails():
            if each[0] == "mine@example.org":
                with pytest.raises(InvalidCredentials):
                    recovery_service.confirm_email(code_in(each))

        assert not confirmed(anna)
        row = fetch_one("SELECT email FROM users WHERE id = %s", (anna.id,))
        assert row["email"] == "victim@example.org"
