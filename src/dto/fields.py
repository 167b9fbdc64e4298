"""The rules for single values, shared by all requests. The course sets most of them.

A rule that a JSON schema can express stands in the schema too, so that `/openapi.json` tells
clients (and fuzzers) what will be accepted.
"""

from typing import Annotated, Any

import regex
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import WithJsonSchema

BIGINT_MAX = 2**63 - 1
BCRYPT_MAX_BYTES = 72

LETTERS = regex.compile(r"\p{L}[\p{L}\p{M}]*")
USER_NAME = regex.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
SPECIAL_CHARACTERS = "@$!%*?&"


class RequestModel(BaseModel):
    """A body that holds what is asked for and nothing else: an unknown field is refused."""

    model_config = ConfigDict(extra="forbid")


def optional_field(example: str | bool) -> Any:
    """A field that may be left out but not be null, with no default that a client could see."""

    def describe(schema: dict[str, Any]) -> None:
        schema.pop("default", None)
        schema["examples"] = [example]

    return Field(default=None, json_schema_extra=describe)


def _storable(text: str) -> str:
    """PostgreSQL stores neither NUL nor half of a surrogate pair."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("Not a valid text")
    return text


def _is_user_name(text: str) -> str:
    if not USER_NAME.fullmatch(text):
        raise ValueError("Only Latin letters, digits and _ allowed, not starting with a digit")
    return text


def _is_name(text: str) -> str:
    if not LETTERS.fullmatch(text):
        raise ValueError("Only letters allowed")
    return text


def _is_password(text: str) -> str:
    if not (
        any(char.isalpha() for char in text)
        and any(char in "0123456789" for char in text)
        and any(char in SPECIAL_CHARACTERS for char in text)
    ):
        raise ValueError(f"Needs a letter, a digit and one of {SPECIAL_CHARACTERS}")
    if len(text.encode()) > BCRYPT_MAX_BYTES:
        raise ValueError(f"Must not be longer than {BCRYPT_MAX_BYTES} bytes")
    return text


def is_decimal(value: object) -> object:
    """In a path or query, a number is its digits: no sign, blank, point or underscore."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("Input should be a valid integer")
    return value


def _string_schema(**rules: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **rules})


Text = Annotated[str, AfterValidator(_storable)]
UserName = Annotated[
    str,
    Field(min_length=5, max_length=30),
    AfterValidator(_is_user_name),
    _string_schema(minLength=5, maxLength=30, pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{4,29}$"),
]
PersonName = Annotated[
    str,
    Field(min_length=1, max_length=30),
    AfterValidator(_is_name),
    _string_schema(minLength=1, maxLength=30, pattern=r"^\p{L}[\p{L}\p{M}]*$"),
]
Password = Annotated[
    Text,
    Field(min_length=5, max_length=30),
    AfterValidator(_is_password),
    _string_schema(
        minLength=5,
        maxLength=30,
        format="password",
        pattern=r"^(?=.*[a-zA-Z])(?=.*[0-9])(?=.*[@$!%*?&])[ -~]+$",
    ),
]
# What is compared with a stored value needs no rules, only a bound.
AnyPassword = Annotated[Text, Field(max_length=256, json_schema_extra={"format": "password"})]
AnyUserName = Annotated[Text, Field(max_length=256)]
Id = Annotated[int, BeforeValidator(is_decimal), Field(ge=1, le=BIGINT_MAX)]
# 0 stands for "none", as the course's clients send it.
IdOrZero = Annotated[int, BeforeValidator(is_decimal), Field(ge=0, le=BIGINT_MAX)]
