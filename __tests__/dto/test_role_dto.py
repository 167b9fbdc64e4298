"""What may be asked about roles and permissions."""

import pytest
from pydantic import ValidationError

from dto.role_dto import (
    CreatePermissionDto,
    CreateRoleDto,
    RolePermissionsDto,
    UpdateRoleDto,
    UserRolesDto,
)

GOOD_WORDS = ["ab", "moderator", "a1", "delete_any", "a" * 30]
BAD_WORDS = [
    "",
    "a",
    "a" * 31,
    "Moderator",
    "1a",
    "_a",
    "a b",
    "a:b",
    "пекарь",
    "moderator\n",
    "mod\0",
    None,
    7,
]


@pytest.mark.parametrize("word", GOOD_WORDS)
def test_good_words(word):
    assert CreateRoleDto(name=word).name == word
    assert UpdateRoleDto(name=word).name == word
    assert CreatePermissionDto(resource=word, action=word).action == word


@pytest.mark.parametrize(
    ("model", "field", "rest"),
    [
        (CreateRoleDto, "name", {}),
        (UpdateRoleDto, "name", {}),
        (CreatePermissionDto, "resource", {"action": "read"}),
        (CreatePermissionDto, "action", {"resource": "post"}),
    ],
)
def test_bad_words(model, field, rest, subtests):
    for word in BAD_WORDS:
        with subtests.test(repr(word)):
            with pytest.raises(ValidationError) as error:
                model(**{field: word, **rest})
            assert [fault["loc"] for fault in error.value.errors()] == [(field,)]


@pytest.mark.parametrize("text", ["", "a" * 280, "Keeps the talk friendly", "Пекарь"])
def test_good_descriptions(text):
    assert CreateRoleDto(name="baker", description=text).description == text


@pytest.mark.parametrize("text", ["a" * 281, "nul\0", "half \ud800", None, 7])
def test_bad_descriptions(text):
    with pytest.raises(ValidationError):
        CreateRoleDto(name="baker", description=text)
    with pytest.raises(ValidationError):
        UpdateRoleDto(description=text)


def test_only_what_was_sent_counts_as_sent():
    assert UpdateRoleDto(description="").model_dump(exclude_unset=True) == {"description": ""}
    assert UpdateRoleDto().model_dump(exclude_unset=True) == {}


@pytest.mark.parametrize(
    ("model", "field", "most"),
    [(RolePermissionsDto, "permissions", 500), (UserRolesDto, "roles", 100)],
)
class TestSets:
    @pytest.mark.parametrize("references", [[], ["post:read"], ["a" * 64]])
    def test_good(self, model, field, most, references):
        assert getattr(model(**{field: references}), field) == references

    @pytest.mark.parametrize(
        "references", [None, "post:read", ["a"], ["a" * 65], ["nul\0"], ["\ud800a"], [7], [None]]
    )
    def test_bad(self, model, field, most, references):
        with pytest.raises(ValidationError):
            model(**{field: references})

    def test_bounded(self, model, field, most):
        assert model(**{field: ["ab"] * most})
        with pytest.raises(ValidationError):
            model(**{field: ["ab"] * (most + 1)})

    def test_the_set_must_be_sent(self, model, field, most):
        with pytest.raises(ValidationError):
            model()


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (CreateRoleDto, {"name": "baker"}),
        (UpdateRoleDto, {"name": "baker"}),
        (CreatePermissionDto, {"resource": "post", "action": "pin"}),
        (RolePermissionsDto, {"permissions": []}),
        (UserRolesDto, {"roles": []}),
    ],
)
@pytest.mark.parametrize("unknown", ["is_builtin", "id", "permission"])
def test_unknown_fields_are_refused(model, fields, unknown):
    assert model(**fields)
    with pytest.raises(ValidationError):
        model(**fields, **{unknown: True})
