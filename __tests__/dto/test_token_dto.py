"""How long a token may live, and the new fields of accounts."""

import pytest
from pydantic import ValidationError

from dto.auth_dto import ForgotPasswordDto, ResetPasswordDto
from dto.token_dto import IssueTokenDto
from dto.user_dto import CreateUserDto, UpdateUserDto

NEW = {
    "user_name": "gopher_boris",
    "password": "gopher1!",
    "first_name": "Boris",
    "last_name": "Petrov",
}


@pytest.mark.parametrize("minutes", [1, 60, 43_200, 60.0])
def test_good_minutes(minutes):
    assert IssueTokenDto(ttl_minutes=minutes).ttl_minutes == minutes


@pytest.mark.parametrize(
    "minutes", [0, -1, 43_201, 2**63, 1.5, "60", True, None, float("nan"), float("inf")]
)
def test_bad_minutes(minutes):
    with pytest.raises(ValidationError):
        IssueTokenDto(ttl_minutes=minutes)


def test_an_hour_when_nothing_is_said():
    assert IssueTokenDto().ttl_minutes == 60


def test_unknown_fields_are_refused():
    with pytest.raises(ValidationError):
        IssueTokenDto(ttl=60)


@pytest.mark.parametrize(
    "email",
    ["", "anna", "anna@", "@example.org", "a b@example.org", "anna@x\0.org", "\ud800@x.org"],
)
def test_bad_addresses(email):
    with pytest.raises(ValidationError):
        ForgotPasswordDto(email=email)
    with pytest.raises(ValidationError):
        UpdateUserDto(email=email)


def test_a_reset_needs_the_same_password_twice():
    code = "123456:abcdefghijklmnopqrst"
    ResetPasswordDto(token=code, password="gopher1!", password_confirm="gopher1!")
    with pytest.raises(ValidationError, match="Passwords do not match"):
        ResetPasswordDto(token=code, password="gopher1!", password_confirm="gopher2!")


class TestFlags:
    def test_an_account_is_active_and_nobodys_superior_unless_said(self):
        dto = CreateUserDto(**NEW)
        assert (dto.roles, dto.is_active, dto.is_superuser) == ([], True, False)

    @pytest.mark.parametrize("flag", ["is_active", "is_superuser"])
    @pytest.mark.parametrize("value", [0, 1, "true", "yes", None])
    def test_they_are_true_or_false_and_nothing_like_it(self, flag, value):
        with pytest.raises(ValidationError):
            CreateUserDto(**NEW, **{flag: value})
        with pytest.raises(ValidationError):
            UpdateUserDto(**{flag: value})

    def test_what_may_be_empty_is_cleared_with_null_and_names_are_not(self):
        cleared = UpdateUserDto(email=None, middle_name=None).model_dump(exclude_unset=True)
        assert cleared == {"email": None, "middle_name": None}
        for name in ("user_name", "first_name", "last_name", "password"):
            with pytest.raises(ValidationError):
                UpdateUserDto(**{name: None})

    @pytest.mark.parametrize("field", ["password_hash", "roles", "permissions"])
    def test_a_change_takes_no_column_that_it_does_not_name(self, field):
        with pytest.raises(ValidationError):
            UpdateUserDto(**{field: 1})
