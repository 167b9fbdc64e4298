"""The rules for single values in requests. The course sets most of them.

What a JSON schema can express is in the schema too, so that `/openapi.json` says what is accepted.
A validator (`check_...`) returns the value or raises a ValueError with the sentence for the client.
"""

from collections.abc import Callable
from itertools import permutations
from typing import Annotated, Any, TypeVar
from unicodedata import normalize

import regex
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    with_config,
)
from pydantic.json_schema import WithJsonSchema
from pydantic_core import CoreSchema, core_schema

Answer = TypeVar("Answer")

# Larger integers are not exact as JSON numbers (RFC 8259, section 6); a bigint holds more.
MAX_ID = 2**53 - 1
BCRYPT_MAX_BYTES = 72

LETTERS = regex.compile(r"\p{L}[\p{L}\p{M}]*")
USER_NAME = regex.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
NOT_STORABLE = regex.compile(r"[\x00\ud800-\udfff]")
# Any character but blanks, control characters and those that no font draws: the ones that Unicode
# calls ignorable, the empty Braille pattern, and the null note.
VISIBLE = regex.compile(r"[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800\U0001D159]")
SPECIAL_CHARACTERS = "@$!%*?&"
# What stands in a pattern of the schema must mean the same to ECMAScript, to Python's `re` and to
# others. Any character that PostgreSQL can store:
NO_NUL = r"[^\u0000]"
# Any character but what of ASCII and Latin-1 is no letter: `\p{L}` is an error in Python's `re`.
LETTER = r"[^\u0000-@\[-`{-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7]"


class RequestModel(BaseModel):
    """A body. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class ChangeModel(RequestModel):
    """A body with the fields to change, at least one."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


def documented(example: dict[str, Any]) -> Callable[[type[Answer]], type[Answer]]:
    """Decorates the TypedDict of an answer with an example for /docs."""
    return with_config(ConfigDict(json_schema_extra={"example": example}))


def optional_field(example: Any) -> Any:
    """A field that may be left out. /docs shows no default, as a missing field has no value."""

    def describe(schema: dict[str, Any]) -> None:
        schema.pop("default", None)
        schema["examples"] = [example]

    return Field(default=None, json_schema_extra=describe)


def read_only_field(example: Any) -> Any:
    """A field of the answer that clients may send back. It has no effect."""

    def describe(schema: dict[str, Any]) -> None:
        schema.pop("default", None)
        schema |= {"examples": [example], "readOnly": True}

    return Field(default=None, exclude=True, json_schema_extra=describe)


def _normalize(value: object) -> object:
    """To NFC, the one form in which texts are stored, compared and searched. PostgreSQL stores
    neither NUL nor half of a surrogate pair."""
    if not isinstance(value, str):
        return value
    if NOT_STORABLE.search(value):
        raise ValueError("Not a valid text")
    return normalize("NFC", value)


def _check_visible(text: str) -> str:
    if not VISIBLE.search(text):
        raise ValueError("Nothing of this text can be seen")
    return text


def _check_user_name(text: str) -> str:
    if not USER_NAME.fullmatch(text):
        raise ValueError("Only Latin letters, digits and _ allowed, not starting with a digit")
    return text


def _check_person_name(text: str) -> str:
    if not LETTERS.fullmatch(text):
        raise ValueError("Only letters allowed")
    return text


def _check_password(text: str) -> str:
    if not (
        any(char.isalpha() for char in text)
        and any(char in "0123456789" for char in text)
        and any(char in SPECIAL_CHARACTERS for char in text)
    ):
        raise ValueError(f"Needs a letter, a digit and one of {SPECIAL_CHARACTERS}")
    if len(text.encode()) > BCRYPT_MAX_BYTES:
        raise ValueError(f"Must not be longer than {BCRYPT_MAX_BYTES} bytes")
    return text


def check_decimal(value: object) -> object:
    """In a path or query, a number has digits only: no sign, space, point or underscore."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("Input should be a valid integer")
    return value


def check_whole_number(value: object) -> object:
    """In JSON, 60.0 is an integer too, but `true` and "60" are not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("Input should be a valid integer")
    return value


def _string_schema(**rules: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **rules})


def _in_any_order(*parts: str) -> str:
    """A pattern for texts that contain all parts. It uses no look-ahead, which some tools lack."""
    orders = (f"{NO_NUL}*".join(order) for order in permutations(parts))
    return f"^{NO_NUL}*({'|'.join(orders)}){NO_NUL}*$"


class Text:
    """In `Annotated[str, Text(max_length=280)]`: a text that PostgreSQL can store, in bounds. With
    `visible=True` it cannot consist of blanks and invisible characters alone.

    With `Field(max_length=280)` after a validator, the error would say "at most 280 items".
    """

    def __init__(
        self, *, max_length: int, min_length: int | None = None, visible: bool = False
    ) -> None:
        self._bounds = core_schema.str_schema(min_length=min_length, max_length=max_length)
        self._visible = visible

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        text = core_schema.no_info_before_validator_function(_normalize, self._bounds)
        if self._visible:
            return core_schema.no_info_after_validator_function(_check_visible, text)
        return text

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        # A pattern cannot name surrogates, but JSON cannot either, except as an escape.
        return {**handler(schema), "pattern": f"^{NO_NUL}*$"}


UserName = Annotated[
    str,
    Field(min_length=5, max_length=30),
    AfterValidator(_check_user_name),
    _string_schema(minLength=5, maxLength=30, pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{4,29}$"),
]
PersonName = Annotated[
    str,
    Text(min_length=1, max_length=30),
    AfterValidator(_check_person_name),
    _string_schema(
        minLength=1,
        maxLength=30,
        pattern=f"^{LETTER}+$",
        description="Letters of any alphabet, and marks that combine with them",
    ),
]
Password = Annotated[
    str,
    Text(min_length=5, max_length=30),
    AfterValidator(_check_password),
    _string_schema(
        minLength=5,
        maxLength=30,
        format="password",
        pattern=_in_any_order(LETTER, "[0-9]", "[@$!%*?&]"),
    ),
]
# A value that is only compared with a stored one needs no rules but a bound.
AnyPassword = Annotated[
    str,
    Text(max_length=256),
    _string_schema(maxLength=256, format="password", pattern=f"^{NO_NUL}*$"),
]
AnyUserName = Annotated[str, Text(max_length=256)]
# `Field` comes before the validator, otherwise the schema would not show the bounds.
Id = Annotated[int, Field(ge=1, le=MAX_ID), BeforeValidator(check_decimal)]
# The course's clients send 0 for "none".
IdOrZero = Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(check_decimal)]
