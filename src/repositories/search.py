"""A case-insensitive search for a part of a text, by a trigram index where one can help."""

import re
from typing import LiteralString

from dto.post_dto import PostFilter

# The trigram index finds three letters in a row, and beginnings and ends of words.
HAS_TRIGRAM = re.compile(r"[^\W_]{3}|[\W_][^\W_]|[^\W_]{2}[\W_]")
# A search without any of these, such as "zq", reads so many rows for a page, and the next page goes
# on where it ended.
SCANNED_ROWS: LiteralString = "10000"


def needs_scan(search: str) -> bool:
    """Whether the trigram index cannot help."""
    return not HAS_TRIGRAM.search(search)


def scans_feed(dto: PostFilter) -> bool:
    """Whether it is such a search, and of the whole feed, which has no other index either."""
    search, elsewhere = dto.get("search"), dto.get("reply_to_id") or dto.get("owner_id")
    return bool(search) and not elsewhere and needs_scan(search)


def like_pattern(text: str) -> str:
    """A LIKE pattern that finds `text` anywhere, with `%`, `_` and the backslash as themselves."""
    return "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"
