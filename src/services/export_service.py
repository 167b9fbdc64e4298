"""The export of everything that is stored about the caller, as one JSON document."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pydantic_core import to_json

from repositories import (
    export_repository,
    role_repository,
    session_repository,
    user_repository,
)
from services import access_rules

PAGE_ROWS = 500
NO_SESSION = "00000000-0000-0000-0000-000000000000"

Rows = list[dict[str, Any]]


def export() -> Iterator[bytes]:
    """The document in pieces. Each page is read when its piece is sent, so that only one page is in
    memory. Raises NotFound and Unavailable."""
    user_id = access_rules.require_member()
    profile = user_repository.get_user_profile(user_id)
    roles = [role["name"] for role in role_repository.get_user_roles(user_id)]
    # A member has few sessions.
    session_id = access_rules.session_id() or NO_SESSION
    sessions = session_repository.get_sessions(user_id, session_id, PAGE_ROWS, 0)
    return _document({"profile": profile, "roles": roles, "sessions": sessions}, user_id)


def _document(known: dict[str, Any], user_id: int) -> Iterator[bytes]:
    yield to_json(known).removesuffix(b"}")
    for name, get_page in (
        ("posts", export_repository.get_posts),
        ("earlier_texts", export_repository.get_earlier_texts),
        ("likes", export_repository.get_likes),
        ("views", export_repository.get_views),
        ("follows", export_repository.get_follows),
        ("mutes", export_repository.get_mutes),
        ("blocks", export_repository.get_blocks),
        ("orders", export_repository.get_orders),
        ("reports", export_repository.get_reports),
        ("audit", export_repository.get_audit_entries),
    ):
        yield from _array(name, _pages(partial(get_page, user_id)))
    yield b"}"


def _array(name: str, pages: Iterator[Rows]) -> Iterator[bytes]:
    yield b"," + to_json(name) + b":["
    separator = b""
    for rows in pages:
        yield separator + to_json(rows)[1:-1]
        separator = b","
    yield b"]"


def _pages(get_page: Callable[[int, int], Rows]) -> Iterator[Rows]:
    after_id = 0
    while rows := get_page(after_id, PAGE_ROWS):
        yield rows
        after_id = rows[-1]["id"]
