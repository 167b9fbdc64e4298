"""A search that no index can answer looks at a part for each page, and nothing is left out."""

import pytest

from repositories import post_repository, profile_repository


@pytest.fixture(autouse=True)
def scans_of_three(monkeypatch):
    for module in (post_repository, profile_repository):
        monkeypatch.setattr(module, "SCANNED_ROWS", "3")


def pages(client, path, headers):
    """The ids on each page."""
    found = []
    while path:
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        found.append([row["id"] for row in answer.json()])
        path = answer.headers.get("Link", "")[1:].partition(">")[0]
    return found


def test_the_links_lead_through_the_whole_feed(client, anna, write):
    ids = [write(anna, "zq" if number in {0, 1, 6} else "tea") for number in range(8)]

    def search(text):
        return pages(client, f"/api/posts?search={text}&limit=1", anna.headers)

    assert search("zq") == [[ids[6]], [], [ids[1]], [ids[0]]]
    assert search("xx") == [[], [], []]
    assert search("tea") == [[ids[number]] for number in (7, 5, 4, 3, 2)]


def test_one_talk_is_searched_at_once(client, anna, write):
    parent = write(anna, "tea")
    replies = [write(anna, "zq", parent) for _ in range(5)]

    path = f"/api/posts?search=zq&reply_to_id={parent}"
    assert pages(client, path, anna.headers) == [replies]


def test_the_links_lead_through_all_accounts(client, person, anna):
    others = [person(f"gopher_{name}").id for name in ("bob", "zqa", "eve", "zqb")]

    path = "/api/users?search=zq&limit=1"
    assert pages(client, path, anna.headers) == [[others[1]], [others[3]]]
    assert pages(client, "/api/users?search=zz&limit=5", anna.headers) == [[], []]


def test_a_cursor_without_a_search_is_refused(client, anna):
    answer = client.get("/api/users?cursor=AAAAAAAAAAE", headers=anna.headers)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "cursor"]
