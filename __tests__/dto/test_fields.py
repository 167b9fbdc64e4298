"""The rules for single values, at their borders."""

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from dto import fields

MAX_ID = 2**53 - 1  # the largest integer that is exact as a JSON number


def long(value, what):
    """A value that is too long to name its own test."""
    return pytest.param(value, id=what)


ACCEPTED = {
    "UserName": ["abcde", "_____", "_1234", "Gopher_Anna_1", "a" * 30],
    "PersonName": [
        "A",
        "Anna",
        "Анна",
        "Ёлка",
        "José",
        "Joq\u0301",
        "नीता",
        "李",
        "محمد",
        long("я" * 30, "30 letters"),
    ],
    "Password": [
        "abc1!",
        "Абв1?",
        "with blanks 1 !",
        *(f"gopher1{special}" for special in "@$!%*?&"),
        long("a" * 28 + "1!", "30 characters"),
        long("a1!" + "€" * 23, "72 bytes"),
    ],
    "AnyPassword": ["", "x", long("x" * 256, "256 characters")],
    "AnyUserName": [
        "",
        "Привет, gophers! 🐹",
        "two\nlines",
        "\u200f",
        long("x" * 256, "256 characters"),
    ],
    "Id": [1, MAX_ID, "1", "007", str(MAX_ID)],
    "IdOrZero": [0, 1, MAX_ID, "0", "00", str(MAX_ID)],
}

NOT_STORABLE = ["a\0bcd1!", "\0", "\ud800", "abc1!\udfff"]
NO_NUMBER = ["", " 1", "1 ", "1\n", "+1", "1.0", "1_0", "1e3", "0x1", "x", "١", "²", 1.5, None, []]
REFUSED = {
    "UserName": [
        "",
        "abcd",
        "a" * 31,
        "1abcd",
        "abcde\n",
        "\nabcde",
        "abc de",
        "abc-de",
        "abc.de",
        long("gopher_\u0430nna", "one Cyrillic letter"),
        "Гофер",
        "abcdé",
        long("abcd\uff11", "a full-width digit"),
        long("abcd\u0661", "an Arabic digit"),
        "abcd\0",
        "abcd\ud800",
        None,
        12345,
        ["abcde"],
    ],
    "PersonName": [
        "",
        long("я" * 31, "31 letters"),
        long("q\u0301" * 16, "32 code points"),
        "Anna Maria",
        "Anna-Maria",
        "O'Brien",
        "Anna1",
        "Anna\n",
        " Anna",
        long("\u0301Anna", "a mark without a letter"),
        "🐹",
        "Anna\0",
        "An\ud800na",
        None,
        7,
    ],
    "Password": [
        "",
        "ab1!",
        long("a" * 29 + "1!", "31 characters"),
        long("a1!a" + "€" * 23, "73 bytes"),
        long("🐹" * 27 + "a1!", "30 characters of 111 bytes"),
        "abcdef",
        "abcde1",
        "abcde!",
        "12345!",
        long("abcde!\u0661", "an Arabic digit alone"),
        "abcde1#",
        *NOT_STORABLE,
        None,
        12345,
    ],
    "AnyPassword": [long("x" * 257, "257 characters"), *NOT_STORABLE, None, 1],
    "AnyUserName": [long("x" * 257, "257 characters"), *NOT_STORABLE, None, 1, b"\xff"],
    "Id": [0, -1, MAX_ID + 1, "0", "-1", str(MAX_ID + 1), *NO_NUMBER],
    "IdOrZero": [-1, MAX_ID + 1, "-1", str(MAX_ID + 1), *NO_NUMBER],
}


def cases(table):
    named = [
        (rule, *((value.values[0], value.id) if hasattr(value, "id") else (value, ascii(value))))
        for rule, values in table.items()
        for value in values
    ]
    return [pytest.param(rule, value, id=f"{rule}: {name}") for rule, value, name in named]


def validate(rule, value):
    return TypeAdapter(getattr(fields, rule)).validate_python(value)


def test_accepted_as_it_is(subtests):
    for case in cases(ACCEPTED):
        rule, value = case.values
        with subtests.test(case.id):
            assert validate(rule, value) == (int(value) if rule.startswith("Id") else value)


def test_refused(subtests):
    for case in cases(REFUSED):
        with subtests.test(case.id), pytest.raises(ValidationError):
            validate(*case.values)


@pytest.mark.parametrize(
    ("rule", "value", "sentence"),
    [
        ("PersonName", "Anna1", "Only letters allowed"),
        ("UserName", "1abcd", "not starting with a digit"),
        ("Password", "abcdef", "Needs a letter, a digit and one of @$!%*?&"),
        ("Password", "a1!a" + "€" * 23, "Must not be longer than 72 bytes"),
        ("AnyUserName", "\0", "Not a valid text"),
        ("AnyUserName", "\ud800", "Not a valid text"),
        ("Id", "1.0", "Input should be a valid integer"),
    ],
    ids=lambda value: value[:20],
)
def test_a_refusal_says_what_is_wanted(rule, value, sentence):
    with pytest.raises(ValidationError) as caught:
        validate(rule, value)

    assert sentence in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize("rule", ["UserName", "PersonName", "Password"])
def test_the_schema_tells_clients_the_bounds(rule):
    schema = TypeAdapter(getattr(fields, rule)).json_schema()

    assert schema["type"] == "string"
    assert (schema["minLength"], schema["maxLength"]) == (1 if rule == "PersonName" else 5, 30)
    assert schema["pattern"].startswith("^")
    assert schema["pattern"].endswith("$")


@pytest.mark.parametrize("rule", ["UserName", "PersonName", "Password"])
def test_what_is_accepted_fits_the_pattern_that_clients_read(rule):
    """Python's `re` is the strictest of those that read it."""
    pattern = re.compile(TypeAdapter(getattr(fields, rule)).json_schema()["pattern"])
    accepted = [value for _, value in (case.values for case in cases({rule: ACCEPTED[rule]}))]
    assert all(pattern.fullmatch(value) for value in accepted)
    assert not pattern.fullmatch("Anna-Maria")


@pytest.mark.parametrize(("rule", "minimum"), [("Id", 1), ("IdOrZero", 0)])
def test_the_schema_of_an_id_has_its_bounds(rule, minimum):
    schema = TypeAdapter(getattr(fields, rule)).json_schema()

    assert schema == {"type": "integer", "minimum": minimum, "maximum": MAX_ID}


@pytest.mark.parametrize("value", [0, 7, -7, 2**53, 1.0, -0.0, 1.5])
def test_whether_a_json_number_is_whole_is_left_to_pydantic(value):
    assert fields.check_whole_number(value) is value


@pytest.mark.parametrize("value", [True, False, "1", "1.0", "", None, [], {}, [1]], ids=repr)
def test_what_is_no_json_number_is_no_whole_number(value):
    with pytest.raises(ValueError, match=r"^Input should be a valid integer$"):
        fields.check_whole_number(value)


def models(below=fields.RequestModel):
    return [model for each in below.__subclasses__() for model in (each, *models(each))]


def test_the_length_of_a_text_is_told_in_characters(subtests):
    """Of every text in every request."""
    found = 0
    for model in models():
        for name, schema in model.model_json_schema()["properties"].items():
            bounds = [each for each in schema.get("anyOf", [schema]) if "maxLength" in each]
            for bound in bounds:
                found += 1
                with subtests.test(model=model.__name__, field=name):
                    with pytest.raises(ValidationError) as caught:
                        model.model_validate({name: "a" * (bound["maxLength"] + 1)})
                    told = {each["loc"]: each["msg"] for each in caught.value.errors()}
                    words = f"at most {bound['maxLength']} characters"
                    assert any(words in msg for loc, msg in told.items() if loc[0] == name)
    assert found > 20
