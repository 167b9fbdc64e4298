"""What an update of a user takes, and what it refuses."""

import pytest
from pydantic import ValidationError

from dto.user_dto import UpdateUserDto

FIELDS = {
    "user_name": "gopher_anna",
    "first_name": "Anna",
    "last_name": "Petrova",
    "middle_name": "Maria",
    "email": "anna@example.org",
    "password": "gopher2!",
    "current_password": "gopher1!",
}


def faults(body):
    """The fields that are refused."""
    with pytest.raises(ValidationError) as caught:
        UpdateUserDto.model_validate(body)
    return {fault["loc"][0] for fault in caught.value.errors()}


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_may_come_alone(field):
    body = {field: FIELDS[field]}

    assert UpdateUserDto.model_validate(body).model_dump(exclude_unset=True) == body


def test_none_at_all_is_for_the_service_to_refuse():
    assert UpdateUserDto.model_validate({}).model_dump(exclude_unset=True) == {}


@pytest.mark.parametrize("field", ["middle_name", "email"])
def test_null_clears_what_may_be_empty(field):
    body = {field: None}

    assert UpdateUserDto.model_validate(body).model_dump(exclude_unset=True) == body


@pytest.mark.parametrize(
    "field",
    ["user_name", "first_name", "last_name", "password", "password_confirm", "current_password"],
)
def test_null_is_refused_where_a_value_must_stay(field):
    assert faults({field: None}) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_name", "anna"),
        ("user_name", "abcde\n"),
        ("first_name", ""),
        ("last_name", "Petrova1"),
        ("middle_name", "\0"),
        ("email", "anna"),
        ("password", "gopher"),
        ("password", "a1!a" + "€" * 23),
        ("current_password", "x" * 257),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_the_rules_are_those_of_a_registration(field, value):
    assert faults({field: value}) == {field}


def test_a_confirmation_must_match_the_password():
    same = {"password": "gopher2!", "password_confirm": "gopher2!"}
    assert UpdateUserDto.model_validate(same).password == "gopher2!"

    with pytest.raises(ValidationError, match="Passwords do not match"):
        UpdateUserDto.model_validate({**same, "password_confirm": "gopher3!"})


@pytest.mark.parametrize(
    "field",
    ["is_active", "is_superuser", "password_hash", "session_id", "deleted_at"],
)
def test_unknown_fields_are_refused(field):
    assert faults({"first_name": "Anna", field: 1}) == {field}


def test_what_nobody_sets_may_be_sent_back_as_it_was_read_and_has_no_effect():
    read = {"id": 7, "status": 0, "created_at": "2026-11-21T12:00:00Z", "updated_at": None}
    dto = UpdateUserDto.model_validate({**read, "first_name": "Anna"})

    assert dto.model_dump(exclude_unset=True) == {"first_name": "Anna"}
    properties = UpdateUserDto.model_json_schema()["properties"]
    assert {name for name in properties if properties[name].get("readOnly")} == set(read)


def test_the_documentation_has_an_example_for_every_field_and_no_defaults():
    for name, field in UpdateUserDto.model_json_schema()["properties"].items():
        assert field.get("examples"), name
        assert "default" not in field, name
