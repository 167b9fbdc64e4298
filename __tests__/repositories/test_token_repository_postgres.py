"""Short-lived tokens in a real database. Time passes by moving `expires_at`."""

from hashlib import sha256

import pytest

from repositories import token_repository, user_repository
from repositories.sql import execute, fetch_all, fetch_one, transaction

RESET, CONFIRM = "password_reset", "email_confirm"


def expire(token):
    digest = sha256(token.encode()).digest()
    assert execute("UPDATE tokens SET expires_at = now() WHERE token_hash = %s", (digest,)) == 1


def count():
    return fetch_one("SELECT count(*) AS n FROM tokens")["n"]


def give(user_id, purpose, token, minutes):
    with transaction() as conn:
        token_repository.set_user_token(user_id, purpose, token, minutes, conn)


def awaits(user_id, email):
    with transaction() as conn:
        return user_repository.awaits_confirmation(user_id, email, conn)


def use(token, purpose=RESET):
    with transaction() as conn:
        return token_repository.use_user_token(token, purpose, conn)


@pytest.fixture
def anna(person):
    return person("gopher_anna", email="anna@example.org").id


@pytest.fixture
def boris(person):
    return person("gopher_boris", email="boris@example.org").id


class TestTokenService:
    def test_an_issued_token_is_good_as_often_as_one_asks(self, db):
        token_repository.add_token("one", 1)
        token_repository.add_token("two", 60)

        assert [token_repository.check_token(each) for each in ("one", "two", "one")] == [True] * 3

    @pytest.mark.parametrize("token", ["", "One", "one ", "on", "онe", "\0", "x" * 100_000])
    def test_anything_else_is_not(self, db, token):
        token_repository.add_token("one", 60)

        assert token_repository.check_token(token) is False

    def test_an_expired_one_is_not_good_and_is_removed_while_others_stay(self, db):
        token_repository.add_token("one", 60)
        token_repository.add_token("two", 60)
        expire("one")

        assert token_repository.check_token("one") is False
        assert count() == 1
        assert token_repository.check_token("two") is True

    def test_asking_for_another_removes_no_expired_one(self, db):
        token_repository.add_token("one", 60)
        expire("one")
        token_repository.check_token("two")

        assert count() == 1

    def test_only_its_hash_is_stored(self, db):
        token_repository.add_token("654321:a-very-secret-token", 60)
        (row,) = fetch_all("SELECT * FROM tokens")

        assert "secret" not in repr(row)
        assert row["token_hash"] == sha256(b"654321:a-very-secret-token").digest()

    @pytest.mark.parametrize("minutes", [1, 60, 43_200])
    def test_it_lives_as_long_as_was_asked(self, db, minutes):
        token_repository.add_token("one", minutes)
        row = fetch_one(
            "SELECT expires_at - created_at = make_interval(mins => %s) AS exact FROM tokens",
            (minutes,),
        )
        assert row["exact"]


def test_clearing_removes_the_expired_of_every_purpose_and_counts_them(anna, boris):
    token_repository.add_token("old", 60)
    token_repository.add_token("young", 60)
    give(anna, RESET, "old reset", 60)
    give(boris, RESET, "young reset", 60)
    expire("old")
    expire("old reset")

    assert token_repository.delete_expired_tokens() == 2
    assert token_repository.delete_expired_tokens() == 0
    assert token_repository.check_token("young") is True
    assert use("young reset") == boris


class TestUserTokens:
    def test_a_token_is_its_users_and_good_for_one_use(self, anna, boris):
        give(anna, RESET, "annas", 60)
        give(boris, RESET, "boriss", 60)

        assert [use("annas"), use("annas"), use("boriss")] == [anna, None, boris]

    def test_asking_whether_it_is_good_does_not_use_it_up(self, anna):
        give(anna, RESET, "one", 60)

        assert token_repository.is_valid("one", RESET)
        assert use("one") == anna
        assert not token_repository.is_valid("one", RESET)

    @pytest.mark.parametrize(("purpose", "other"), [(RESET, CONFIRM), (CONFIRM, RESET)])
    def test_it_is_good_for_its_purpose_alone(self, anna, purpose, other):
        give(anna, purpose, "one", 60)

        assert use("one", other) is None
        assert not token_repository.is_valid("one", other)
        assert token_repository.check_token("one") is False
        assert use("one", purpose) == anna

    def test_a_token_of_the_token_service_serves_no_purpose(self, anna):
        token_repository.add_token("one", 60)

        assert [use("one", RESET), use("one", CONFIRM)] == [None, None]
        assert token_repository.check_token("one") is True

    def test_there_is_one_for_each_user_and_purpose(self, anna, boris):
        for purpose in (RESET, CONFIRM):
            give(boris, purpose, f"boris {purpose}", 60)
            give(anna, purpose, f"first {purpose}", 60)
        give(anna, RESET, "second", 60)

        assert use(f"first {RESET}") is None
        assert use("second") == anna
        assert use(f"first {CONFIRM}", CONFIRM) == anna
        assert use(f"boris {RESET}") == boris

    def test_a_new_one_lives_as_long_as_it_says_and_not_as_the_one_before(self, anna):
        give(anna, RESET, "first", 60)
        expire("first")
        give(anna, RESET, "second", 60)

        assert use("second") == anna

    def test_in_a_transaction_that_fails_the_one_before_stays_good(self, anna, rolled_back):
        give(anna, RESET, "first", 60)
        rolled_back(lambda conn: token_repository.set_user_token(anna, RESET, "second", 60, conn))

        assert [use("second"), use("first")] == [None, anna]

    def test_an_expired_one_is_worth_nothing(self, anna):
        give(anna, RESET, "one", 60)
        expire("one")

        assert not token_repository.is_valid("one", RESET)
        assert use("one") is None

    @pytest.mark.parametrize("column", ["status = 0", "deleted_at = now()"])
    def test_it_is_worth_nothing_when_its_user_is_gone(self, anna, column):
        give(anna, RESET, "one", 60)
        execute("UPDATE users SET " + column + " WHERE id = %s", (anna,))

        assert use("one") is None


class TestWhatATokenSpeaksOf:
    @pytest.fixture(autouse=True)
    def tokens(self, anna, boris):
        for name, user_id in (("anna", anna), ("boris", boris)):
            give(user_id, RESET, f"{name} reset", 60)
            give(user_id, CONFIRM, f"{name} confirm", 60)

    @pytest.mark.parametrize("email", ["anna@example.com", None])
    def test_another_address_voids_both_of_this_user(self, anna, boris, email):
        user_repository.update_user(anna, {"email": email})

        assert [use("anna reset"), use("anna confirm", CONFIRM)] == [None, None]
        assert [use("boris reset"), use("boris confirm", CONFIRM)] == [boris, boris]

    def test_another_password_voids_the_reset_alone(self, anna, boris):
        user_repository.update_user(anna, {"password_hash": "another"})

        assert [use("anna reset"), use("anna confirm", CONFIRM)] == [None, anna]
        assert use("boris reset") == boris

    @pytest.mark.parametrize("changes", [{"first_name": "Hanna"}, {"email": "ANNA@example.org"}])
    def test_anything_else_voids_none(self, anna, changes):
        user_repository.update_user(anna, changes)

        assert [use("anna reset"), use("anna confirm", CONFIRM)] == [anna, anna]

    def test_who_awaits_confirmation_is_that_user_with_exactly_that_address(self, anna, boris):
        assert awaits(anna, "anna@example.org")
        assert not awaits(anna, "ANNA@example.org")
        assert not awaits(anna, "boris@example.org")
        assert not awaits(boris, "anna@example.org")

        user_repository.delete_user(anna)
        assert not awaits(anna, "anna@example.org")
        assert awaits(boris, "boris@example.org")

    def test_another_address_is_unconfirmed_and_another_case_stays_confirmed(self, anna):
        with transaction() as conn:
            user_repository.confirm_email(anna, conn)
        user_repository.update_user(anna, {"email": "Anna@Example.org"})
        assert not awaits(anna, "Anna@Example.org")

        user_repository.update_user(anna, {"email": "anna@example.com"})
        assert awaits(anna, "anna@example.com")
