"""What registration, login and refresh take, and what they refuse."""

import pytest
from pydantic import ValidationError

from dto.auth_dto import LoginDto, RefreshDto, RegisterDto

REGISTRATION = {
    "user_name": "gopher_anna",
    "password": "gopher1!",
    "password_confirm": "gopher1!",
    "first_name": "Anna",
    "last_name": "Petrova",
}
LOGIN = {"user_name": "gopher_anna", "password": "gopher1!"}


def faults(model, body):
    """The fields that are refused."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return {fault["loc"][0] for fault in caught.value.errors()}


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"middle_name": "Мария", "email": "anna@example.org"},
        {"middle_name": None, "email": None},
    ],
)
def test_a_registration_holds_what_was_sent_and_nothing_else(extra):
    body = {**REGISTRATION, **extra}

    assert RegisterDto.model_validate(body).model_dump(exclude_unset=True) == body


@pytest.mark.parametrize("field", REGISTRATION)
def test_each_field_of_a_registration_is_required_and_checked(field):
    for value in (None, "", 7, "\0", "\ud800"):
        assert field in faults(RegisterDto, {**REGISTRATION, field: value}), repr(value)
    others = {name: value for name, value in REGISTRATION.items() if name != field}
    assert field in faults(RegisterDto, others)


def test_all_faults_are_named_at_once():
    body = {"user_name": "anna", "password": "x", "first_name": "1", "last_name": ""}

    assert faults(RegisterDto, body) == {
        "user_name",
        "password",
        "password_confirm",
        "first_name",
        "last_name",
    }


@pytest.mark.parametrize("confirmation", ["gopher2!", "Gopher1!", "gopher1! ", ""])
def test_both_passwords_must_be_the_same(confirmation):
    with pytest.raises(ValidationError, match="Passwords do not match"):
        RegisterDto.model_validate({**REGISTRATION, "password_confirm": confirmation})


def test_a_refused_password_needs_no_second_complaint_about_its_confirmation():
    assert faults(RegisterDto, {**REGISTRATION, "password": "x"}) == {"password"}


@pytest.mark.parametrize(
    "email",
    [
        "",
        "anna",
        "anna@",
        "@example.org",
        "anna@example",
        "a b@example.org",
        "anna@example.org\n",
        "anna@example.org\0",
        "an\ud800na@example.org",
        "a" * 243 + "@example.org",  # 255 characters; the column holds 254
        7,
    ],
    ids=lambda email: ascii(email)[:25],
)
def test_what_is_no_address_is_refused(email):
    assert faults(RegisterDto, {**REGISTRATION, "email": email}) == {"email"}


@pytest.mark.parametrize(
    "email", ["anna@example.org", "анна@пример.рф", "a" * 242 + "@example.org"], ids=len
)
def test_an_address_may_be_as_long_as_its_column(email):
    assert RegisterDto.model_validate({**REGISTRATION, "email": email}).email == email


@pytest.mark.parametrize("field", ["id", "status", "is_superuser", "is_active", "roles", "user_id"])
@pytest.mark.parametrize(
    ("model", "body"),
    [(RegisterDto, REGISTRATION), (LoginDto, LOGIN), (RefreshDto, {"refresh_token": "x"})],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_unknown_fields_are_refused(model, body, field):
    assert faults(model, {**body, field: 1}) == {field}


@pytest.mark.parametrize(
    "body",
    [
        LOGIN,
        {"user_name": "x", "password": "short"},
        {"user_name": "О'Брайен 7", "password": "without digits"},
        {"user_name": "", "password": ""},
        {"user_name": "x" * 256, "password": "x" * 256},
    ],
    ids=lambda body: body["password"][:20],
)
def test_a_login_is_compared_and_not_judged(body):
    assert LoginDto.model_validate(body).model_dump() == body


@pytest.mark.parametrize("field", LOGIN)
@pytest.mark.parametrize(
    "value", ["x" * 257, None, 7, "\0", "\ud800", ["x"]], ids=lambda v: ascii(v)[:20]
)
def test_a_login_is_bounded(field, value):
    assert faults(LoginDto, {**LOGIN, field: value}) == {field}


@pytest.mark.parametrize("token", ["", "x", "x" * 4096], ids=len)
def test_a_refresh_token_up_to_four_kilobytes(token):
    assert RefreshDto(refresh_token=token).refresh_token == token


@pytest.mark.parametrize("token", ["x" * 4097, None, 7], ids=lambda v: ascii(v)[:20])
def test_a_refresh_token_is_bounded(token):
    assert faults(RefreshDto, {"refresh_token": token}) == {"refresh_token"}


@pytest.mark.parametrize("model", [RegisterDto, LoginDto])
def test_a_password_is_not_in_the_message_of_a_fault(model):
    with pytest.raises(ValidationError) as caught:
        model.model_validate({**REGISTRATION, "password": "gopher1!" * 40})

    messages = [fault["msg"] for fault in caught.value.errors()]
    assert not any("gopher1!" in message for message in messages)


@pytest.mark.parametrize("model", [RegisterDto, LoginDto, RefreshDto])
def test_the_documentation_has_an_example_for_every_field_and_no_defaults(model):
    for field in model.model_json_schema()["properties"].values():
        assert field["examples"]
        assert "default" not in field
