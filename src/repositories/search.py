"""A case-insensitive search for a part of a text, by a trigram index where one can help."""

import re
from typing import LiteralString

# The trigram index finds three letters in a row, and beginnings and ends of words. A search without
# any of these, such as "zq", cannot use it and reads only so many rows, the first of its order.
HAS_TRIGRAM = re.compile(r"[^\W_]{3}|[\W_][^\W_]|[^\W_]{2}[\W_]")
SCAN_LIMIT: LiteralString = "LIMIT 20000"


def like_pattern(text: str) -> str:
    """A LIKE pattern that finds `text` anywhere, with `%`, `_` and the backslash as themselves."""
    return "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"
