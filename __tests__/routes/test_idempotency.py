"""Every POST that makes something may be sent twice with one `Idempotency-Key`."""

from collections import Counter
from hashlib import sha256
from types import MappingProxyType

import pytest
from operations import OPERATIONS
from pydantic_core import to_json
from shop import count, new_product

from config.secrets import token_secrets
from repositories.sql import execute, fetch_all, fetch_one, transaction
from utils import later
from utils.digest import keyed_digest_of

# POSTs without a key: nobody is logged in who could own it, or the answer is a secret, which must
# not be stored, or a second time changes nothing.
WITHOUT_A_KEY = {
    "confirm_email",
    "forgot_password",
    "get_access_token",
    "issue_stream_ticket",
    "issue_token",
    "login",
    "logout",
    "mark_notifications_read",
    "refresh",
    "register",
    "reset_password",
    "sign_up",
}
REPEATABLE = {
    name: operation
    for name, operation in OPERATIONS.items()
    if "Idempotency-Key" in operation.parameters("header")
}
KEY = {"Idempotency-Key": "once"}


def rows():
    """How many rows each table has, once the work after the answer is done, such as a mail's."""
    later.finish(10)
    tables = fetch_all("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {each["tablename"]: count(each["tablename"]) for each in tables}


def repeatable(request):
    return {**request, "headers": {**request["headers"], **KEY}}


def test_every_post_takes_a_key_or_says_why_not():
    posts = {name for name, operation in OPERATIONS.items() if operation.method == "POST"}
    assert posts - REPEATABLE.keys() == WITHOUT_A_KEY
    assert REPEATABLE.keys() <= posts


def test_the_same_request_again_makes_nothing_and_is_answered_the_same(client, new_world, subtests):
    for name in REPEATABLE:
        with subtests.test(name):
            request = repeatable(new_world().good(name))
            first, made = client.request(**request), rows()
            again = client.request(**request)

            assert first.is_success, first.text
            assert (again.status_code, again.content) == (first.status_code, first.content)
            assert rows() == made


def test_the_key_of_another_request_is_refused(client, new_world, subtests):
    for name in REPEATABLE:
        with subtests.test(name):
            world = new_world()
            request = repeatable(world.good(name))
            other = "like_post" if name != "like_post" else "view_post"
            used = repeatable(world.good(other, world.root) | {"headers": request["headers"]})
            assert client.request(**used).is_success
            made = rows()
            refusal = client.request(**request)

            assert refusal.status_code == 422
            [fault] = refusal.json()["detail"]
            assert fault["loc"] == ["header", "Idempotency-Key"]
            assert rows() == made


def test_another_body_is_refused_and_the_same_one_in_another_order_is_not(client, anna, write):
    parent, headers = write(anna), {**anna.headers, **KEY}

    def send(text):
        return client.post("/api/posts/", content=text, headers=headers | json)

    json = {"Content-Type": "application/json"}
    first = send(f'{{"text": "Yes", "reply_to_id": {parent}}}')
    assert send(f'{{"reply_to_id":{parent},"text":"Yes"}}').content == first.content
    assert send(f'{{"text": "No", "reply_to_id": {parent}}}').status_code == 422
    assert count("posts") == 2


def test_one_post_liked_does_not_like_another(client, anna, write):
    first, second = write(anna), write(anna)
    headers = {**anna.headers, **KEY}

    assert client.post(f"/api/posts/{first}/like", headers=headers).status_code == 201
    assert client.post(f"/api/posts/{first}/like", headers=headers).status_code == 201
    assert client.post(f"/api/posts/{second}/like", headers=headers).status_code == 422
    assert client.post(f"/api/posts/{first}/like", headers=anna.headers).status_code == 409


def test_what_was_refused_may_be_tried_again(client, anna, write):
    body = {"text": "Yes", "reply_to_id": 999_999}
    headers = {**anna.headers, **KEY}
    assert client.post("/api/posts", json=body, headers=headers).status_code == 404
    assert client.post("/api/posts", json={"text": ""}, headers=headers).status_code == 422

    assert client.post("/api/posts", json={"text": "Yes"}, headers=headers).status_code == 201
    assert count("posts") == 1


def test_sixteen_at_once_make_one_post(client, anna, boris, at_once):
    def send(who):
        return client.post("/api/posts", json={"text": "Once"}, headers={**who.headers, **KEY})

    answers = at_once(send, [anna] * 16 + [boris])

    assert Counter(answer.status_code for answer in answers) == {201: 17}
    assert len({answer.content for answer in answers[:16]}) == 1
    assert answers[16].json()["user"]["id"] == boris.id
    assert count("posts") == 2


def test_sixteen_at_once_of_two_bodies_make_one_post(client, anna, at_once):
    def send(text):
        return client.post("/api/posts", json={"text": text}, headers={**anna.headers, **KEY})

    answers = at_once(send, ["One", "Two"] * 8)

    assert Counter(answer.status_code for answer in answers) == {201: 8, 422: 8}
    assert count("posts") == 1


def test_a_guest_has_no_keys(client):
    execute(
        """
        INSERT INTO role_permissions (role_id, permission_id)
        SELECT r.id, p.id FROM roles r, permissions p
        WHERE r.name = 'guest' AND p.resource = 'product' AND p.action = 'create'
        """
    )
    body = {"name": "Mug", "price": "1.00"}
    assert client.post("/api/products", json=body).status_code == 201
    assert client.post("/api/products", json=body, headers=KEY).status_code == 401
    assert count("products") == 1


class TestAccountsForOthers:
    NEW = MappingProxyType(
        {
            "user_name": "gopher_clara",
            "password": "gopher1!",
            "first_name": "Clara",
            "last_name": "Ivanova",
        }
    )

    def send(self, client, root, key="once", **fields):
        headers = {**root.headers, "Idempotency-Key": key}
        return client.post("/api/users", json={**self.NEW, **fields}, headers=headers)

    def test_another_password_is_another_request(self, client, root):
        assert self.send(client, root).status_code == 201
        assert self.send(client, root, password="gopher2!").status_code == 422
        assert self.send(client, root).status_code == 201

    def test_only_who_knows_our_secret_could_guess_the_password(self, client, root):
        self.send(client, root)
        keyed = keyed_digest_of(self.NEW["password"], token_secrets().access)
        flags = {"roles": [], "is_active": True, "is_superuser": False}
        body = {**self.NEW, "password": keyed, **flags}
        assert fetch_one("SELECT request_hash FROM idempotency_keys") == {
            "request_hash": sha256(to_json(body)).digest()
        }

    def test_the_id_alone_is_stored_and_nothing_about_the_person(self, client, root):
        first, again = self.send(client, root), self.send(client, root)
        assert first.json() == again.json()
        assert count("users") == 2

        stored = fetch_one("SELECT answer FROM idempotency_keys")["answer"]
        assert stored == f'{{"id":{first.json()["id"]}}}'


class TestOldServersBesideNewOnes:
    """The version before knows keys of orders alone; the tables keep both in step."""

    @pytest.fixture
    def wanted(self, db):
        return [{"product_id": new_product(), "quantity": 2}]

    @pytest.fixture
    def order_at_old_server(self, anna, wanted):
        """What it sends to PostgreSQL for a new order with a key."""

        def order():
            with transaction() as conn:
                row = conn.execute("SELECT gen_random_uuid()::text AS id").fetchone()
                conn.execute(
                    """
                    INSERT INTO idempotency_keys AS k (user_id, key, request_hash, order_id)
                    VALUES (%s, 'once', %s, %s)
                    ON CONFLICT ON CONSTRAINT pk__idempotency_keys DO UPDATE
                    SET request_hash = EXCLUDED.request_hash, order_id = EXCLUDED.order_id,
                        created_at = now()
                    WHERE k.created_at < now() - interval '1 day'
                    """,
                    (anna.id, sha256(to_json(wanted)).digest(), row["id"]),
                )
                conn.execute(
                    "INSERT INTO orders (id, user_id, total_price) VALUES (%s, %s, 20.20)",
                    (row["id"], anna.id),
                )
                conn.execute(
                    """
                    INSERT INTO order_items
                        (order_id, position, product_id, name, price, quantity)
                    VALUES (%s, 1, %s, 'Mug', 10.10, 2)
                    """,
                    (row["id"], wanted[0]["product_id"]),
                )
            return row["id"]

        return order

    def order(self, client, anna, wanted):
        headers = {**anna.headers, **KEY}
        return client.post("/api/orders", json={"items": wanted}, headers=headers)

    @pytest.mark.parametrize("fraction", ["12:00:00.000120", "12:00:00"])
    def test_an_order_made_there_is_answered_here(
        self, client, anna, wanted, order_at_old_server, fraction
    ):
        order_id = order_at_old_server()
        execute(
            "UPDATE orders SET created_at = %s, updated_at = %s",
            (f"2026-11-21 {fraction}+00", f"2026-11-21 {fraction}+00"),
        )
        execute("UPDATE idempotency_keys SET answer = order_as_created(order_id)")
        made = client.get(f"/api/orders/{order_id}", headers=anna.headers)
        execute("UPDATE orders SET status = 'CANCELED', updated_at = now()")

        answer = self.order(client, anna, wanted)
        assert (answer.status_code, answer.content) == (201, made.content)
        assert count("orders") == 1

    def test_it_is_answered_without_help(self, client, anna, wanted, order_at_old_server):
        order_id = order_at_old_server()
        assert self.order(client, anna, wanted).json()["id"] == order_id

    def test_an_order_made_here_is_found_there(self, client, anna, wanted):
        made = self.order(client, anna, wanted).json()
        assert fetch_one("SELECT order_id::text AS id, request_hash FROM idempotency_keys") == {
            "id": made["id"],
            "request_hash": sha256(to_json(wanted)).digest(),
        }

    def test_an_expired_key_of_a_post_is_used_again_there(
        self, client, anna, wanted, order_at_old_server
    ):
        headers = {**anna.headers, **KEY}
        client.post("/api/posts", json={"text": "Hello"}, headers=headers)
        execute("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")

        order_id = order_at_old_server()
        assert self.order(client, anna, wanted).json()["id"] == order_id

    def test_an_expired_key_of_an_order_is_used_again_here(
        self, client, anna, wanted, order_at_old_server
    ):
        order_at_old_server()
        execute("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")
        headers = {**anna.headers, **KEY}
        first = client.post("/api/posts", json={"text": "Hello"}, headers=headers)

        again = client.post("/api/posts", json={"text": "Hello"}, headers=headers)
        assert (first.status_code, again.content) == (201, first.content)
        assert self.order(client, anna, wanted).status_code == 422
