"""What a search looks for."""

import pytest

from repositories.search import like_pattern


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("gopher", "%gopher%"),
        ("100%", "%100\\%%"),
        ("a_b", "%a\\_b%"),
        ("a\\b", "%a\\\\b%"),
        ("\\%", "%\\\\\\%%"),
        ("привет", "%привет%"),
    ],
)
def test_a_like_pattern_takes_every_character_literally(text, pattern):
    assert like_pattern(text) == pattern
