"""One page of a list, and the way to the next: a `Link: <...>; rel="next"` header (RFC 8288).

A controller asks for one row more than the page holds (`page.fetch_limit`): if it is there, another
page follows.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator, Field

from dependencies.middleware.request_context import add_header
from dto.fields import check_decimal
from utils.errors import Unprocessable

Row = TypeVar("Row", bound=Mapping[str, Any])

MAX_OFFSET = 2**31 - 1
# Eight bytes, in base64 without padding.
CURSOR_PATTERN = "^[A-Za-z0-9_-]{11}$"
# Sixteen.
UUID_CURSOR_PATTERN = "^[A-Za-z0-9_-]{22}$"

Limit = Annotated[
    int,
    Field(ge=1, le=100),
    BeforeValidator(check_decimal),
    Query(description="The largest number of rows."),
]
Offset = Annotated[
    int,
    Field(ge=0, le=MAX_OFFSET),
    BeforeValidator(check_decimal),
    Query(description="The number of rows to skip."),
]
Cursor = Annotated[
    str | None,
    Query(pattern=CURSOR_PATTERN, description="Where the page begins, from the header `Link`."),
]
UuidCursor = Annotated[
    str | None,
    Query(
        alias="cursor",
        pattern=UUID_CURSOR_PATTERN,
        description="Where the page begins, from the header `Link`.",
    ),
]


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that is requested. `after_id`, or `after_uuid` where ids are UUIDs: the
    last row of the previous page."""

    request: Request
    limit: int
    offset: int
    after_id: int | None = None
    after_uuid: UUID | None = None

    @property
    def fetch_limit(self) -> int:
        return self.limit + 1

    def by_offset(self, rows: list[Row]) -> list[Row]:
        """The page; if `rows` has one more, with a link that skips the page."""
        if len(rows) > self.limit:
            self._link({"offset": str(self.offset + self.limit)})
        return rows[: self.limit]

    def by_cursor(
        self, rows: list[Row], end_of_search: Callable[[], int | None] = lambda: None
    ) -> list[Row]:
        """The same with a link that continues after the page's last row, whatever was added
        meanwhile; where no row is left, after the one at which a search has stopped."""
        if len(rows) > self.limit:
            self._link({"cursor": _encode(rows[self.limit - 1]["id"])})
        elif (stopped_at := end_of_search()) is not None:
            self._link({"cursor": _encode(stopped_at)})
        return rows[: self.limit]

    def by_place(self, rows: list[Any]) -> list[Any]:
        """The same for rows that are not ordered by their `id`: their `place` in the list is not
        part of the answer."""
        if len(rows) > self.limit:
            self._link({"cursor": _encode(rows[self.limit - 1]["place"])})
        return [{name: row[name] for name in row if name != "place"} for row in rows[: self.limit]]

    def _link(self, position: dict[str, str]) -> None:
        query = dict(self.request.query_params)
        query.pop("offset", None)
        target = f"{quote(self.request.scope['path'])}?{urlencode({**query, **position})}"
        add_header(self.request.scope, "link", f'<{target}>; rel="next"')


def _encode(row_id: int | str) -> str:
    """An id is a number, or a UUID as text."""
    raw = row_id.to_bytes(8, signed=True) if isinstance(row_id, int) else UUID(row_id).bytes
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(cursor: str) -> int:
    return int.from_bytes(urlsafe_b64decode(cursor + "="), signed=True)


async def offset_page(request: Request, limit: Limit = 10, offset: Offset = 0) -> Page:
    return Page(request, limit, offset)


async def cursor_page(
    request: Request, limit: Limit = 10, offset: Offset = 0, cursor: Cursor = None
) -> Page:
    return Page(request, limit, offset, _decode(cursor) if cursor else None)


async def search_page(
    request: Request, limit: Limit = 10, offset: Offset = 0, cursor: Cursor = None
) -> Page:
    """Pages of a search go on by cursor, others by offset. Raises Unprocessable."""
    if cursor and not request.query_params.get("search"):
        raise Unprocessable("cursor goes together with search alone", ("query", "cursor"))
    return await cursor_page(request, limit, offset, cursor)


async def pure_cursor_page(request: Request, limit: Limit = 10, cursor: Cursor = None) -> Page:
    return Page(request, limit, 0, _decode(cursor) if cursor else None)


async def uuid_cursor_page(request: Request, limit: Limit = 10, cursor: UuidCursor = None) -> Page:
    after = UUID(bytes=urlsafe_b64decode(cursor + "==")) if cursor else None
    return Page(request, limit, 0, after_uuid=after)


OffsetPage = Annotated[Page, Depends(offset_page)]
CursorPage = Annotated[Page, Depends(cursor_page)]
SearchPage = Annotated[Page, Depends(search_page)]
PureCursorPage = Annotated[Page, Depends(pure_cursor_page)]
UuidCursorPage = Annotated[Page, Depends(uuid_cursor_page)]
