"""Posts, likes and views over HTTP."""

import pytest

ZERO = {"likes_count": 0, "views_count": 0, "replies_count": 0}
UNKNOWN = 999_999


@pytest.fixture
def ids(client):
    """The ids on a page: `ids(anna, "?owner_id=1")`."""

    def ids(member, query=""):
        response = client.get(f"/api/posts{query}", headers=member.headers)
        assert response.status_code == 200
        return [post["id"] for post in response.json()]

    return ids


@pytest.fixture
def read(client):
    return lambda member, post: client.get(f"/api/posts/{post}", headers=member.headers)


class TestWrite:
    def test_the_answer_is_the_whole_post(self, client, anna, read):
        response = client.post("/api/posts", json={"text": "Привет"}, headers=anna.headers)
        post = response.json()

        assert response.status_code == 201
        assert post["text"] == "Привет"
        assert post["reply_to_id"] is None
        assert post.items() >= {**ZERO, "user_liked": False, "user_viewed": False}.items()
        assert post["created_at"].endswith(("Z", "+00:00"))
        assert post["user"] == {
            "id": anna.id,
            "user_name": "gopher_anna",
            "first_name": "Anna",
            "last_name": "Petrova",
        }
        assert read(anna, post["id"]).json() == post

    def test_a_reply_names_its_parent_and_counts(self, client, anna, boris, write, read):
        parent, other = write(anna), write(anna)
        body = {"text": "Yes", "reply_to_id": parent}
        reply = client.post("/api/posts", json=body, headers=boris.headers).json()

        assert reply["reply_to_id"] == parent
        assert read(anna, parent).json()["replies_count"] == 1
        assert read(anna, other).json()["replies_count"] == 0

    @pytest.mark.parametrize("nothing", [0, None])
    def test_no_parent_is_a_post(self, client, anna, nothing):
        body = {"text": "Hello", "reply_to_id": nothing}
        response = client.post("/api/posts", json=body, headers=anna.headers)

        assert response.json()["reply_to_id"] is None

    def test_a_parent_that_is_not_there_is_404(self, client, anna, boris, write, ids):
        gone = write(anna)
        client.delete(f"/api/posts/{gone}", headers=anna.headers)

        for parent in (gone, UNKNOWN, 2**53 - 1):
            body = {"text": "Yes", "reply_to_id": parent}
            response = client.post("/api/posts", json=body, headers=boris.headers)
            assert response.status_code == 404
            assert response.json()["error"] == "Post not found"
        assert ids(anna) == []

    @pytest.mark.parametrize("text", ["x", "я" * 280, "🐹" * 280, "a\nb\t\"c'\\", "<b>&amp;"])
    def test_a_text_comes_back_as_it_was_sent(self, client, anna, text):
        response = client.post("/api/posts", json={"text": text}, headers=anna.headers)

        assert response.status_code == 201
        assert response.json()["text"] == text

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"text": ""},
            {"text": "x" * 281},
            {"text": None},
            {"text": 1},
            {"text": "x", "reply_to_id": -1},
            {"text": "x", "reply_to_id": "1"},
            {"text": "x", "reply_to_id": 1.5},
            {"text": "x", "reply_to_id": True},
            {"text": "x", "reply_to_id": 2**53},
            {"text": "x", "user_id": 1},
            {"text": "x", "likes_count": 5},
        ],
    )
    def test_what_breaks_a_rule_is_422(self, client, anna, ids, body):
        assert client.post("/api/posts", json=body, headers=anna.headers).status_code == 422
        assert ids(anna) == []


class TestRead:
    def test_likes_and_views_are_the_readers_own(self, client, anna, boris, write, read):
        post, other = write(anna), write(anna)
        client.post(f"/api/posts/{post}/like", headers=boris.headers)
        client.post(f"/api/posts/{other}/view", headers=boris.headers)

        seen = {
            (reader.user_name, post_id): (
                (answer := read(reader, post_id).json())["user_liked"],
                answer["user_viewed"],
                answer["likes_count"],
                answer["views_count"],
            )
            for reader in (anna, boris)
            for post_id in (post, other)
        }
        assert seen == {
            ("gopher_anna", post): (False, False, 1, 0),
            ("gopher_anna", other): (False, False, 0, 1),
            ("gopher_boris", post): (True, False, 1, 0),
            ("gopher_boris", other): (False, True, 0, 1),
        }

    def test_what_is_not_there_is_404(self, client, anna, boris, write, read):
        gone = write(anna)
        client.delete(f"/api/posts/{gone}", headers=anna.headers)

        for post in (gone, UNKNOWN, 2**53 - 1):
            response = read(boris, post)
            assert response.status_code == 404
            assert response.json() == {"detail": "Post not found", "error": "Post not found"}

    @pytest.mark.parametrize(
        ("method", "tail"),
        [("GET", ""), ("DELETE", ""), ("POST", "/like"), ("POST", "/view"), ("DELETE", "/like")],
    )
    def test_what_is_no_id_is_422(self, client, anna, method, tail):
        for post in ("0", "-1", "x", "1.0", "1e3", "%2B1", str(2**53), "%D9%A1"):
            response = client.request(method, f"/api/posts/{post}{tail}", headers=anna.headers)
            assert response.status_code == 422, post


class TestDelete:
    def test_ones_own_is_gone(self, client, anna, boris, write, read, ids):
        post, other = write(anna), write(anna)

        assert client.delete(f"/api/posts/{post}", headers=anna.headers).status_code == 204

        assert read(boris, post).status_code == 404
        assert ids(boris) == [other]

    def test_somebody_elses_is_404_and_stays(self, client, anna, boris, write, ids):
        post = write(anna)

        for post_id, headers in [(post, boris.headers), (UNKNOWN, anna.headers)]:
            response = client.delete(f"/api/posts/{post_id}", headers=headers)
            assert response.status_code == 404
            assert response.json()["error"] == "Post not found or already deleted"
        assert ids(anna) == [post]

    def test_twice_is_404(self, client, anna, write):
        path = f"/api/posts/{write(anna)}"
        answers = [client.delete(path, headers=anna.headers).status_code for _ in range(2)]

        assert answers == [204, 404]

    def test_a_deleted_reply_counts_no_more(self, client, anna, boris, write, read, ids):
        parent = write(anna)
        reply, other = write(boris, "No", parent), write(boris, "Yes", parent)

        client.delete(f"/api/posts/{reply}", headers=boris.headers)

        assert read(anna, parent).json()["replies_count"] == 1
        assert ids(anna, f"?reply_to_id={parent}") == [other]


class TestLikeAndView:
    @pytest.mark.parametrize(
        ("mark", "count", "flag", "again"),
        [
            ("like", "likes_count", "user_liked", "Post already liked"),
            ("view", "views_count", "user_viewed", "Post already viewed"),
        ],
    )
    def test_once_by_each(self, client, anna, boris, write, read, mark, count, flag, again):
        post = write(anna)
        path = f"/api/posts/{post}/{mark}"

        assert client.post(path, headers=boris.headers).status_code == 201
        response = client.post(path, headers=boris.headers)
        assert response.status_code == 409
        assert response.json() == {"detail": again, "error": again}
        assert client.post(path, headers=anna.headers).status_code == 201
        seen = read(boris, post).json()
        assert seen.items() >= {**ZERO, count: 2, flag: True}.items()

    @pytest.mark.parametrize(
        ("method", "tail"), [("POST", "like"), ("POST", "view"), ("DELETE", "like")]
    )
    def test_what_is_not_there_is_404(self, client, anna, write, method, tail):
        gone = write(anna)
        client.post(f"/api/posts/{gone}/like", headers=anna.headers)
        client.delete(f"/api/posts/{gone}", headers=anna.headers)

        for post in (gone, UNKNOWN):
            response = client.request(method, f"/api/posts/{post}/{tail}", headers=anna.headers)
            assert response.status_code == 404
            assert response.json()["error"] == "Post not found"

    def test_a_like_is_taken_back_by_its_owner_alone(self, client, anna, boris, write, read):
        post = write(anna)
        path = f"/api/posts/{post}/like"
        client.post(path, headers=anna.headers)

        assert client.delete(path, headers=boris.headers).status_code == 404
        assert read(boris, post).json()["likes_count"] == 1
        assert client.delete(path, headers=anna.headers).status_code == 204
        assert client.delete(path, headers=anna.headers).status_code == 404
        assert read(anna, post).json().items() >= {**ZERO, "user_liked": False}.items()


class TestFeed:
    def test_top_level_newest_first_replies_oldest_first(self, anna, boris, write, ids):
        parent, other = write(anna), write(boris)
        replies = [write(user, "Yes", parent) for user in (boris, anna)]
        write(boris, "No", other)

        assert ids(anna) == ids(boris) == [other, parent]
        assert ids(boris, f"?reply_to_id={parent}") == replies
        assert ids(anna, "?reply_to_id=0&owner_id=0&search=") == [other, parent]

    def test_the_filters_work_alone_and_together(self, anna, boris, write, ids):
        tea, his = write(anna, "Tea"), write(boris, "tea time")
        write(boris, "coffee")
        reply = write(boris, "TEA?", tea)

        assert ids(anna, f"?owner_id={anna.id}") == [tea]
        assert ids(anna, "?search=tEa") == [his, tea]
        assert ids(anna, f"?search=tea&owner_id={boris.id}") == [his]
        assert ids(anna, f"?search=tea&owner_id={boris.id}&reply_to_id={tea}") == [reply]
        assert ids(anna, f"?reply_to_id={UNKNOWN}") == ids(anna, f"?owner_id={UNKNOWN}") == []

    @pytest.mark.parametrize(
        ("search", "found"), [("%25", 1), ("_", 1), ("%5C", 1), ("ПРИВЕТ", 1), ("100%25", 0)]
    )
    def test_the_search_is_literal_and_knows_cyrillic(self, anna, write, ids, search, found):
        for text in ("50 % off", "snake_case", "C:\\", "Привет", "plain"):
            write(anna, text)

        assert len(ids(anna, f"?search={search}")) == found

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=101",
            "offset=-1",
            "offset=2147483648",
            "owner_id=-1",
            "owner_id=x",
            f"owner_id={2**53}",
            "reply_to_id=-1",
            "search=" + "x" * 281,
            "cursor=",
            "cursor=x",
            "cursor=AAAAAAAAAA!",
            "cursor=AAAAAAAAAAAA",
        ],
    )
    def test_what_breaks_a_rule_is_422(self, client, anna, query):
        response = client.get(f"/api/posts?{query}", headers=anna.headers)

        assert response.status_code == 422
        assert response.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]

    @pytest.mark.parametrize("cursor", ["AAAAAAAAAAA", "__________8", "f_________8", "gAAAAAAAAAA"])
    def test_a_cursor_of_ones_own_making_does_no_harm(self, client, anna, write, cursor):
        write(anna)
        response = client.get(f"/api/posts?cursor={cursor}", headers=anna.headers)

        assert response.status_code in (200, 422)

    @pytest.mark.parametrize("kind", ["feed", "replies", "owner", "search"])
    def test_the_links_lead_to_the_end_and_keep_the_filters(
        self, anna, boris, write, ids, follow, kind
    ):
        parent = write(anna, "Hello 0 & more")
        for number in range(1, 8):
            write((anna, boris)[number % 2], f"Hello {number} & more")
            write(boris, "Hello there & more", parent)
        query = {
            "feed": "",
            "replies": f"&reply_to_id={parent}",
            "owner": f"&owner_id={anna.id}",
            "search": "&search=%20%26%20MORE",
        }[kind]

        pages = follow(anna, f"/api/posts?limit=3{query}")

        everything = ids(anna, f"?limit=100{query}")
        assert [post["id"] for page in pages for post in page] == everything
        assert [len(page) for page in pages[:-1]] == [3] * (len(pages) - 1)
        assert len(pages) == len(everything) // 3 + 1

    def test_the_link_is_a_cursor_that_new_posts_do_not_shift(self, client, anna, write):
        posts = [write(anna) for _ in range(4)]
        first = client.get("/api/posts?limit=2&offset=0", headers=anna.headers)
        write(anna)
        link = first.links["next"]["url"]
        second = client.get(link, headers=anna.headers)

        assert "cursor=" in link
        assert "offset=" not in link
        assert [post["id"] for post in second.json()] == posts[1::-1]

    def test_a_page_that_is_not_full_is_the_last(self, client, anna, write):
        write(anna)
        response = client.get("/api/posts?limit=2", headers=anna.headers)

        assert "Link" not in response.headers
