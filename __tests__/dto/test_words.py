"""A text shows something, and is in one form."""

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from dto.fields import PersonName, Text

WORDS = TypeAdapter(Annotated[str, Text(max_length=10, visible=True)])
TEXT = TypeAdapter(Annotated[str, Text(max_length=10)])
NOTHING = [
    "",
    "   ",
    "\n\t",
    "\u00a0\u2003\u3000",
    "\u200b",
    "\u200d\u2060\ufeff",
    "\u2800",
    "\u3164",
    "\u115f\u1160\uffa0",
    "\u00ad\u034f\u061c\u180e",
    "\ufe0f",
    "\U000e0041",
    "\U0001d159",
]


@pytest.mark.parametrize("text", NOTHING)
def test_what_nobody_sees_is_no_word(text):
    with pytest.raises(ValidationError, match="Nothing of this text can be seen"):
        WORDS.validate_python(text)


@pytest.mark.parametrize(
    "text", ["a", ".", " a ", "😀", "👩\u200d👩", "й", "\u2764\ufe0f", "\u0301"]
)
def test_what_can_be_seen_is_taken(text):
    assert WORDS.validate_python(text)


def test_letters_are_composed():
    assert TEXT.validate_python("и\u0306") == "й"
    assert TypeAdapter(PersonName).validate_python("Зо\u0435\u0308") == "Зоё"
