"""README.ru.md says what README.md says: the same headings, code and tables, in the same order.

In code only comments may be translated, and in a Mermaid drawing what stands in quotes; in tables,
what is not code.
"""

import re

import endpoint_table
import pytest
from readme import README, headings

from config.settings import PROJECT_ROOT

RUSSIAN = (PROJECT_ROOT / "README.ru.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def code_of(text):
    """Each block of code, without what may be translated."""
    return [
        (language, re.sub(r'".*?"' if language == "mermaid" else r"(?m)^# .*$", "", block))
        for language, block in BLOCK.findall(text)
    ]


def rows_of(text):
    """Each row of a table, as the code in it."""
    lines = re.findall(r"^\|.*\|$", BLOCK.sub("", text), flags=re.MULTILINE)
    return [re.findall(r"`[^`]+`", line) for line in lines]


def test_the_headings_are_the_same_in_number_order_and_level():
    levels, in_russian = ([found[1] for found in headings(text)] for text in (README, RUSSIAN))

    assert levels == in_russian
    assert len(levels) > 20


def test_the_code_is_the_same():
    code, in_russian = code_of(README), code_of(RUSSIAN)

    assert len(code) == len(in_russian) > 20
    for mine, other in zip(code, in_russian, strict=True):
        assert other == mine


def test_the_tables_have_the_same_rows():
    assert rows_of(RUSSIAN) == rows_of(README)


def test_the_pictures_are_the_same():
    picture = re.compile(r"!\[.*\]\((.*)\)")

    assert picture.findall(RUSSIAN) == picture.findall(README) != []


def test_the_table_of_endpoints_is_the_code():
    assert endpoint_table.in_text("README.ru.md", RUSSIAN) == endpoint_table.table("README.ru.md")


@pytest.mark.parametrize("heading", [found[2] for found in headings(RUSSIAN)])
def test_the_headings_are_translated(heading):
    assert re.search("[а-яё]", heading) or heading in {found[2] for found in headings()}
