"""Who may change what about an account."""

from unittest.mock import patch

import bcrypt
import pytest

from services import account_rules
from services.access_rules import SYSTEM, acting_as
from utils.errors import Conflict, Forbidden, Unprocessable

STORED = bcrypt.hashpw(b"gopher1!", bcrypt.gensalt(4)).decode()
MEMBER = {"sub": "1", "exp": 0, "sid": "s1", "is_superuser": False, "permissions": frozenset()}
HELPER = {**MEMBER, "permissions": frozenset({"user:update_any"})}
SUPERUSER = {**MEMBER, "is_superuser": True}
PLAIN = {"id": 1, "password_hash": STORED, "status": 1, "is_superuser": False}
OTHER = {**PLAIN, "id": 2}
OTHER_SUPERUSER = {**OTHER, "is_superuser": True}


class TestMatches:
    @pytest.mark.parametrize("password", ["gopher2!", "", "Gopher1!", "gopher1! ", "a" * 73])
    def test_a_wrong_password(self, password):
        assert not account_rules.matches(password, STORED)

    def test_the_right_one(self):
        assert account_rules.matches("gopher1!", STORED)

    def test_what_bcrypt_would_cut_is_another_password(self):
        stored = bcrypt.hashpw(b"a" * 72, bcrypt.gensalt(4)).decode()
        assert account_rules.matches("a" * 72, stored)
        assert not account_rules.matches("a" * 73, stored)

    def test_the_limit_is_in_bytes(self):
        stored = bcrypt.hashpw(("я" * 36).encode(), bcrypt.gensalt(4)).decode()
        assert account_rules.matches("я" * 36, stored)
        assert not account_rules.matches("я" * 37, stored)


@pytest.mark.parametrize(
    "changes", [{"password": "gopher2!"}, {"email": "mine@example.org"}, {"email": None}]
)
class TestProof:
    @pytest.fixture(autouse=True)
    def login(self):
        users = "repositories.user_repository"
        with (
            patch("repositories.session_repository.is_recent", return_value=False) as login,
            patch(f"{users}.get_password_hash", return_value=STORED),
            patch(f"{users}.get_email", return_value="anna@example.org"),
            acting_as(MEMBER),
        ):
            yield login

    def test_the_present_password(self, changes):
        account_rules.require_reauthentication(1, {**changes, "current_password": "gopher1!"})

    def test_a_fresh_login_of_this_session(self, login, changes):
        login.return_value = True
        account_rules.require_reauthentication(1, changes)

        login.assert_called_once_with("s1", 15 * 60)

    @pytest.mark.parametrize("caller", [HELPER, SUPERUSER])
    def test_the_permission_to_change_anybodys(self, caller, changes):
        with acting_as(caller):
            account_rules.require_reauthentication(1, changes)

    def test_none_of_them(self, changes):
        with pytest.raises(Forbidden, match=r"current_password$"):
            account_rules.require_reauthentication(1, changes)

    @pytest.mark.parametrize("fresh", [False, True])
    def test_a_wrong_present_password_is_no_proof_however_fresh_the_login(
        self, login, changes, fresh
    ):
        login.return_value = fresh
        with pytest.raises(Forbidden):
            account_rules.require_reauthentication(1, {**changes, "current_password": "gopher2!"})

    def test_the_present_password_sent_along_is_proof_and_no_change(self, login, changes):
        sent = {**changes, "password": "gopher1!"}
        account_rules.require_reauthentication(1, sent)

        login.assert_not_called()
        assert "password" not in sent
        assert sent.get("email", 0) == changes.get("email", 0)

    @pytest.mark.parametrize("others", [{"email": "anna@example.org"}, {"is_active": False}])
    def test_what_needs_none(self, login, others, changes):
        sent = dict(others)
        account_rules.require_reauthentication(1, sent)

        login.assert_not_called()
        assert sent == others


def check(before, changes):
    account_rules.protect_superuser(before)
    account_rules.check_flags(before, changes)


class TestRights:
    @pytest.mark.parametrize(
        ("caller", "before", "changes"),
        [
            (MEMBER, PLAIN, {"first_name": "Hanna"}),
            (MEMBER, PLAIN, {"is_active": True, "is_superuser": False}),
            (HELPER, OTHER, {"is_active": False}),
            (HELPER, OTHER, {"password": "gopher2!"}),
            (SUPERUSER, OTHER, {"is_active": False, "is_superuser": True}),
            (SUPERUSER, OTHER_SUPERUSER, {"is_superuser": False, "password": "gopher2!"}),
            (SUPERUSER, {**PLAIN, "is_superuser": True}, {"is_superuser": False}),
            (SYSTEM, OTHER_SUPERUSER, {"is_superuser": False, "is_active": False}),
        ],
    )
    def test_allowed(self, caller, before, changes):
        with acting_as(caller):
            check(before, changes)

    @pytest.mark.parametrize(
        ("caller", "before", "changes", "sentence"),
        [
            (MEMBER, PLAIN, {"is_active": False}, "needs the permission user:update_any"),
            (MEMBER, {**PLAIN, "status": 0}, {"is_active": True}, "user:update_any"),
            (MEMBER, PLAIN, {"is_superuser": True}, "Only a superuser may change who is one"),
            (HELPER, PLAIN, {"is_superuser": True}, "Only a superuser may change who is one"),
            (HELPER, OTHER, {"is_superuser": True}, "Only a superuser may change who is one"),
            (HELPER, OTHER_SUPERUSER, {"first_name": "Eve"}, "a superuser's account"),
            (HELPER, OTHER_SUPERUSER, {"password": "gopher2!"}, "a superuser's account"),
            (HELPER, OTHER_SUPERUSER, {"is_active": False}, "a superuser's account"),
        ],
    )
    def test_refused(self, caller, before, changes, sentence):
        with acting_as(caller), pytest.raises(Forbidden, match=sentence):
            check(before, changes)

    def test_nobody_makes_superusers_but_a_superuser_and_the_system(self):
        for caller in (SUPERUSER, SYSTEM):
            with acting_as(caller):
                account_rules.require_superuser()
        for caller in (None, HELPER, {"sub": "0", "exp": 0}):
            with acting_as(caller), pytest.raises(Forbidden):
                account_rules.require_superuser()


class TestLastSuperuser:
    @pytest.mark.parametrize("active", [[], [2], [1, 2]])
    def test_somebody_else_is_left(self, active):
        with patch("repositories.user_repository.lock_active_superusers", return_value=active):
            account_rules.require_another_superuser(1, "conn")

    def test_nobody_else_is_left(self):
        with (
            patch("repositories.user_repository.lock_active_superusers", return_value=[1]),
            pytest.raises(Conflict, match=r"make somebody else a superuser first$"),
        ):
            account_rules.require_another_superuser(1, "conn")


@pytest.mark.parametrize("name", ["signup", "deleted", "admin", "Admin", "_ADMIN_", "mode_rator"])
def test_a_name_with_a_meaning_of_its_own_is_nobodys(name):
    account_rules.check_user_name(f"{name}_1")
    with pytest.raises(Unprocessable, match="This name is reserved"):
        account_rules.check_user_name(name)
    with acting_as(SYSTEM):
        account_rules.check_user_name(name)
