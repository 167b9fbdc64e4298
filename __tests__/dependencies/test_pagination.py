"""Pages and the way to the next one, in a tiny app that lists the numbers from 25 down."""

from math import ceil
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dependencies.middleware.request_context import RequestContext
from dependencies.pagination import MAX_OFFSET, CursorPage, OffsetPage, _decode, _encode

ROWS = [{"id": number} for number in range(25, 0, -1)]

inner = FastAPI()


@inner.get("/by-offset")
def by_offset(page: OffsetPage):
    return page.by_offset(ROWS[page.offset : page.offset + page.fetch_limit])


@inner.get("/by-cursor")
def by_cursor(page: CursorPage):
    rows = [row for row in ROWS if page.after_id is None or row["id"] < page.after_id]
    return page.by_cursor(rows[page.offset : page.offset + page.fetch_limit])


client = TestClient(RequestContext(inner, database_seconds=5.0))


def next_of(response) -> str | None:
    """The target of the link, if there is one."""
    link = response.headers.get("Link")
    if link is None:
        return None
    assert link.startswith("<")
    assert link.endswith('>; rel="next"')
    return link[1:].partition(">")[0]


def pages(path):
    """The ids of each page, following the links."""
    while path is not None:
        response = client.get(path)
        assert response.status_code == 200
        yield [row["id"] for row in response.json()]
        path = next_of(response)


@pytest.mark.parametrize("path", ["/by-offset", "/by-cursor"])
class TestBoth:
    def test_ten_rows_from_the_start_if_nothing_is_said(self, path):
        assert [row["id"] for row in client.get(path).json()] == list(range(25, 15, -1))

    @pytest.mark.parametrize("limit", [1, 5, 7, 10, 24, 25, 26, 100])
    def test_the_links_lead_through_everything_once(self, path, limit):
        seen = list(pages(f"{path}?limit={limit}"))

        assert [number for page in seen for number in page] == list(range(25, 0, -1))
        assert len(seen) == ceil(25 / limit)

    def test_a_full_page_is_the_last_if_nothing_is_behind_it(self, path):
        assert [len(page) for page in pages(f"{path}?limit=5&offset=5")] == [5, 5, 5, 5]

    def test_a_page_that_is_not_full_is_the_last(self, path):
        assert next_of(client.get(f"{path}?limit=100")) is None
        assert next_of(client.get(f"{path}?offset=25")) is None

    def test_the_link_keeps_the_rest_of_the_query(self, path):
        text = 'a&b=c "100%" <привет> \r\n'
        response = client.get(path, params={"search": text, "owner_id": 3, "limit": 2})

        query = parse_qs(urlsplit(next_of(response)).query)
        assert query["search"] == [text]
        assert query["owner_id"] == ["3"]
        assert query["limit"] == ["2"]
        assert next_of(response).isascii()

    def test_the_link_has_no_host_and_no_trailing_slash(self, path):
        assert next_of(client.get(f"{path}/")).startswith(f"{path}?")

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "", "x", "1.0", "1_0", "+5", " 5", "٥"])
    def test_a_limit_is_1_to_100(self, path, limit):
        assert client.get(path, params={"limit": limit}).status_code == 422

    @pytest.mark.parametrize("offset", ["-1", "", "x", "1.0", "+5", str(MAX_OFFSET + 1), "9" * 99])
    def test_an_offset_is_0_to_2_to_the_31(self, path, offset):
        assert client.get(path, params={"offset": offset}).status_code == 422

    def test_the_borders_are_good(self, path):
        for query in ("limit=1", "limit=100", "offset=0", f"offset={MAX_OFFSET}"):
            assert client.get(f"{path}?{query}").status_code == 200


def test_the_next_offset_replaces_the_old_one():
    query = parse_qs(urlsplit(next_of(client.get("/by-offset?offset=5&limit=5"))).query)

    assert query == {"limit": ["5"], "offset": ["10"]}


def test_the_next_cursor_replaces_the_old_one_and_the_offset():
    first = next_of(client.get("/by-cursor?offset=5&limit=5"))
    second = next_of(client.get(first))

    assert parse_qs(urlsplit(first).query).keys() == {"limit", "cursor"}
    assert parse_qs(urlsplit(second).query).keys() == {"limit", "cursor"}
    assert first != second


@pytest.mark.parametrize("number", [0, 1, -1, 255, 2**31, 2**63 - 1, -(2**63)])
def test_a_cursor_carries_any_bigint(number):
    assert _decode(_encode(number)) == number
    response = client.get("/by-cursor", params={"cursor": _encode(number)})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "A" * 10,
        "A" * 12,
        "AAAAAAAAAA=",
        "AAAAAAAAAA+",
        "AAAAAAAAAA\n",
        "AAAAAAAAAA\0",
        "é" * 11,
    ],
)
def test_what_is_no_cursor_is_refused(cursor):
    assert client.get("/by-cursor", params={"cursor": cursor}).status_code == 422
