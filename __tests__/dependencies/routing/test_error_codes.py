"""The list of codes and what is raised in src are the same."""

import ast
from fnmatch import fnmatchcase
from itertools import chain

import pytest

from config.settings import PROJECT_ROOT
from dependencies.errors import STATUS_OF
from dependencies.routing.error_codes import code_of, codes_of
from dto.error_codes import CODE_OF_STATUS, SPECIAL_CODES
from utils import errors

NODES = [
    node
    for path in sorted((PROJECT_ROOT / "src").rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
]
CALLS = [
    (node, keyword.value.value)
    for node in NODES
    if isinstance(node, ast.Call)
    for keyword in node.keywords
    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
]


def status_of(kind):
    return next(STATUS_OF[each] for each in kind.__mro__ if each in STATUS_OF)


def sentence(node):
    """What is raised; a value in it is `x`."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(part.value if isinstance(part, ast.Constant) else "x" for part in parts)


def test_what_is_raised_is_listed_and_what_is_listed_is_raised():
    assert {code for _, code in CALLS} | {"wrong_password"} == set(
        chain.from_iterable(SPECIAL_CODES.values())
    )
    assert SPECIAL_CODES.keys() <= CODE_OF_STATUS.keys()
    every = list(chain.from_iterable(map(codes_of, CODE_OF_STATUS)))
    assert len(every) == len(set(every))


@pytest.mark.parametrize(
    ("call", "code"),
    [(call, code) for call, code in CALLS if hasattr(errors, getattr(call.func, "id", ""))],
    ids=lambda value: value if isinstance(value, str) else str(value.lineno),
)
def test_the_sentence_of_a_code_is_what_the_list_says(call, code):
    status = status_of(getattr(errors, call.func.id))
    assert code_of(status, sentence(call.args[0])) == code


@pytest.mark.parametrize("kind", STATUS_OF, ids=lambda kind: kind.__name__)
def test_the_code_of_a_class_is_that_of_its_status(kind):
    assert kind.code == CODE_OF_STATUS[STATUS_OF[kind]]
    assert kind("no").code == kind.code
    assert kind("no", code="own").code == "own"


def test_an_unknown_name_has_the_code_of_a_wrong_password():
    assert errors.UnknownUser("User not found").code == "wrong_password"


def test_no_sentence_has_two_codes():
    for words in map(dict.values, SPECIAL_CODES.values()):
        for each in words:
            assert sum(fnmatchcase(each.replace("*", "x"), other) for other in words) == 1


@pytest.mark.parametrize(("status", "code"), [(418, "invalid_request"), (502, "internal_error")])
def test_a_status_that_is_not_ours_has_a_general_code(status, code):
    assert code_of(status) == code
