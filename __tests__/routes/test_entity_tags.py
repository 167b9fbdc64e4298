"""Copies that a client keeps: products and single posts."""

import pytest
from shop import headers_of, new_product, new_user

from repositories.sql import execute, fetch_one
from utils.entity_tag import COMPRESSED_FROM_BYTES

LONGEST_NAME = "\U0001f9e1" * 128


@pytest.fixture
def admin():
    return headers_of(new_user("gopher_root", is_superuser=True))


@pytest.fixture
def post(client, anna):
    answer = client.post("/api/posts", json={"text": "Hello"}, headers=anna.headers)
    return f"/api/posts/{answer.json()['id']}"


@pytest.fixture
def mug():
    return f"/api/products/{new_product()}"


def tag_of(answer):
    assert answer.is_success
    return answer.headers["ETag"]


class TestReading:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_who_has_it_gets_nothing_but_headers(self, client, anna, post, method):
        first = client.request(method, post, headers=anna.headers)
        known = {**anna.headers, "If-None-Match": tag_of(first)}
        again = client.request(method, post, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert not again.headers.keys() & {"content-length", "content-type", "content-encoding"}
        for name in ("ETag", "Cache-Control", "X-Content-Type-Options"):
            assert again.headers[name] == first.headers[name]

    def test_a_copy_is_for_one_reader_who_asks_each_time(self, client, anna, post):
        for headers in (anna.headers, {**anna.headers, "Origin": "http://localhost:5173"}):
            answer = client.get(post, headers=headers)
            assert answer.headers["Cache-Control"] == "private, no-cache"
            vary = ", ".join(answer.headers.get_list("Vary")).split(", ")
            assert {"Authorization", "Origin"} <= set(vary)

    def test_two_readers_have_two_copies(self, client, anna, boris, post):
        """What anna liked is part of her copy, and of nobody else's."""
        before = tag_of(client.get(post, headers=boris.headers))
        client.post(f"{post}/like", headers=anna.headers)
        tags = [tag_of(client.get(post, headers=who.headers)) for who in (anna, boris)]
        assert len({before, *tags}) == 3

    @pytest.mark.parametrize(
        "change",
        [
            lambda client, post, who: client.post(f"{post}/view", headers=who),
            lambda client, post, who: client.patch(post, json={"text": "Bye"}, headers=who),
            lambda client, post, who: client.post(
                "/api/posts",
                json={"text": "Yes", "reply_to_id": int(post.rpartition("/")[2])},
                headers=who,
            ),
        ],
        ids=["viewed", "edited", "answered"],
    )
    def test_a_change_makes_the_copy_old(self, client, anna, post, change):
        known = {**anna.headers, "If-None-Match": tag_of(client.get(post, headers=anna.headers))}
        assert client.get(post, headers=known).status_code == 304
        assert change(client, post, anna.headers).is_success
        assert client.get(post, headers=known).status_code == 200

    def test_a_copy_opens_nothing(self, client, anna, post):
        """Who may not read it any more learns nothing of it, `*` included."""
        known = {**anna.headers, "If-None-Match": tag_of(client.get(post, headers=anna.headers))}
        client.delete(post, headers=anna.headers)
        assert client.get(post, headers=known).status_code == 404
        assert client.get(post, headers={**anna.headers, "If-None-Match": "*"}).status_code == 404
        assert client.get(post, headers={**known, "Authorization": "Bearer x"}).status_code == 401

    def test_guests_keep_products(self, client, mug):
        tag = tag_of(client.get(mug))
        assert client.get(mug, headers={"If-None-Match": f'"x", W/{tag}'}).status_code == 304
        answer = client.get(mug, headers=[("If-None-Match", '"x"'), ("If-None-Match", tag)])
        assert answer.status_code == 304
        assert client.get(mug, headers={"If-None-Match": '"x"'}).status_code == 200

    def test_a_refusal_has_none(self, client):
        answer = client.get("/api/products/999999")
        assert "ETag" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"

    def test_the_browser_may_send_and_read_them(self, client, mug):
        asked = {
            "Origin": "http://localhost:5173",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "if-match, if-none-match",
        }
        assert client.options(mug, headers=asked).status_code == 200
        answer = client.get(mug, headers={"Origin": asked["Origin"]})
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"].split(", ")


class TestChanging:
    def test_a_tag_leads_from_change_to_change(self, client, admin):
        made = client.post("/api/products", json={"name": "Mug", "price": 1}, headers=admin)
        path = f"/api/products/{made.json()['id']}"
        tag = tag_of(made)
        for price in ("2.00", "3.00"):
            headers = {**admin, "If-Match": tag}
            answer = client.put(path, json={"price": price}, headers=headers)
            assert answer.json()["price"] == price
            assert answer.headers["Cache-Control"] == "no-store"
            assert tag_of(answer) == tag_of(client.get(path)) != tag
            tag = tag_of(answer)
        assert client.delete(path, headers={**admin, "If-Match": tag}).status_code == 204

    @pytest.mark.parametrize("header", ['"x"', "x", "", ",", "W/{tag}", "{tag[1]}"])
    def test_without_the_tag_of_now_nothing_happens(self, client, admin, mug, header):
        before = client.get(mug)
        headers = {**admin, "If-Match": header.format(tag=tag_of(before))}
        answers = [
            client.put(mug, json={"price": 2}, headers=headers),
            client.delete(mug, headers=headers),
        ]
        for answer in answers:
            assert answer.status_code == 412
            assert answer.headers["X-Error-Code"] == "precondition_failed"
            assert answer.json()["error"] == "The product has changed since you have read it"
        assert client.get(mug).json() == before.json()

    def test_any_version_and_no_version(self, client, admin, mug):
        change = {"price": 2}
        assert client.put(mug, json=change, headers={**admin, "If-Match": "*"}).status_code == 200
        assert client.put(mug, json=change, headers=admin).status_code == 200

    def test_what_is_refused_anyway_is_refused_as_ever(self, client, admin, mug):
        headers = {"If-Match": '"x"'}
        member = headers_of(new_user("gopher_anna"))
        assert client.put(mug, json={"price": 2}, headers=headers).status_code == 401
        assert client.put(mug, json={"price": 2}, headers=headers | member).status_code == 403
        nowhere = client.put("/api/products/999999", json={"price": 2}, headers=headers | admin)
        assert nowhere.status_code == 404
        right = {"If-Match": tag_of(client.get(mug))}
        assert client.put(mug, json={}, headers=right | admin).status_code == 400

    def test_the_tag_of_another_product_does_not_count(self, client, admin, mug):
        other = f"/api/products/{new_product()}"
        headers = {**admin, "If-Match": tag_of(client.get(other))}
        assert client.put(mug, json={"price": 2}, headers=headers).status_code == 412

    @pytest.mark.parametrize("name", [LONGEST_NAME, '"' * 128])
    def test_the_largest_product_has_a_strong_tag(self, client, admin, name):
        new = {"name": name, "price": "9999999999.99", "in_stock": False}
        made = client.post("/api/products", json=new, headers=admin)
        assert len(made.content) < COMPRESSED_FROM_BYTES
        path = f"/api/products/{made.json()['id']}"
        execute("UPDATE products SET updated_at = now()")  # what nobody sees changes no tag
        headers = {**admin, "If-Match": tag_of(client.get(path))}
        assert client.put(path, json={"price": 1}, headers=headers).status_code == 200


@pytest.mark.usefixtures("patience")
class TestAtOnce:
    def test_of_many_with_one_tag_one_wins(self, client, admin, mug, at_once):
        """The name that is there in the end is that of the one who was told 200."""
        headers = {**admin, "If-Match": tag_of(client.get(mug))}

        def rename(number):
            return client.put(mug, json={"name": f"Mug {number}"}, headers=headers)

        answers = at_once(rename, list(range(20)))
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
        [won] = [answer.json() for answer in answers if answer.status_code == 200]
        assert client.get(mug).json() == won

    def test_a_deletion_and_changes(self, client, admin, mug, at_once):
        headers = {**admin, "If-Match": tag_of(client.get(mug))}

        def change_or_delete(number):
            if number == 0:
                return client.delete(mug, headers=headers)
            return client.put(mug, json={"name": f"Mug {number}"}, headers=headers)

        statuses = [answer.status_code for answer in at_once(change_or_delete, list(range(10)))]
        winner = [status for status in statuses if status < 300]
        assert len(winner) == 1
        assert set(statuses) - set(winner) <= {404, 412}
        deleted = fetch_one("SELECT deleted_at IS NOT NULL AS is_deleted FROM products")
        assert deleted["is_deleted"] == (winner == [204])
