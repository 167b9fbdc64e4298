"""The shop's orders over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import ClassVar
from uuid import uuid4

import pytest
from shop import count, headers_of, new_product, new_user

from repositories.sql import execute

UNKNOWN = "/api/orders/00000000-0000-4000-8000-000000000000"


@pytest.fixture
def shop(client):
    anna, boris = new_user("gopher_anna"), new_user("gopher_boris")
    return SimpleNamespace(
        client=client,
        anna=anna,
        boris=boris,
        as_anna=headers_of(anna),
        as_boris=headers_of(boris),
        as_admin=headers_of(new_user("gopher_root", is_superuser=True)),
        mug=new_product(),
        cap=new_product("Cap", "0.05"),
    )


def order(shop, headers=None, quantity=1, **more):
    body = {"items": [{"product_id": shop.mug, "quantity": quantity}]}
    return shop.client.post("/api/orders", json=body, headers={**(headers or shop.as_anna), **more})


def patch(shop, order_id, status, headers):
    return shop.client.patch(f"/api/orders/{order_id}", json={"status": status}, headers=headers)


class TestCreate:
    def test_freezes_names_prices_and_total(self, shop):
        items = [
            {"product_id": shop.cap, "quantity": 1000},
            {"product_id": shop.mug, "quantity": 2},
        ]
        answer = shop.client.post("/api/orders", json={"items": items}, headers=shop.as_anna)
        shop.client.put(f"/api/products/{shop.mug}", json={"price": 99}, headers=shop.as_admin)
        shop.client.delete(f"/api/products/{shop.cap}", headers=shop.as_admin)

        assert answer.status_code == 201
        made = answer.json()
        assert made == {
            "id": made["id"],
            "user_id": shop.anna,
            "items": [
                {"product_id": shop.cap, "name": "Cap", "price": "0.05", "quantity": 1000},
                {"product_id": shop.mug, "name": "Mug", "price": "10.10", "quantity": 2},
            ],
            "total_price": "70.20",
            "status": "PENDING",
            "created_at": made["created_at"],
            "updated_at": made["created_at"],
        }
        read = shop.client.get(f"/api/orders/{made['id']}", headers=shop.as_anna)
        assert read.content == answer.content

    @pytest.mark.parametrize("who", ["guest", "member"])
    def test_needs_the_permission(self, shop, who):
        execute(
            """
            DELETE FROM role_permissions rp USING permissions p, roles r
            WHERE p.id = rp.permission_id AND r.id = rp.role_id AND r.name = 'user'
              AND p.resource = 'order' AND p.action = 'create'
            """
        )
        try:
            headers = {"X-None": "1"} if who == "guest" else shop.as_anna
            assert order(shop, headers).status_code == (401 if who == "guest" else 403)
        finally:
            execute(
                """
                INSERT INTO role_permissions (role_id, permission_id)
                SELECT r.id, p.id FROM roles r, permissions p
                WHERE r.name = 'user' AND p.resource = 'order' AND p.action = 'create'
                """
            )

    @pytest.mark.parametrize(
        "items",
        [
            [],
            [{"product_id": 1, "quantity": 0}],
            [{"product_id": 1, "quantity": 1001}],
            [{"product_id": 1, "quantity": 1.5}],
            [{"product_id": "1", "quantity": 1}],
            [{"product_id": 0, "quantity": 1}],
            [{"product_id": 2**63, "quantity": 1}],
            [{"product_id": 1, "quantity": 1, "price": "0.01"}],
            [{"product_id": 1, "quantity": 1}] * 2,
            [{"product_id": number, "quantity": 1} for number in range(1, 102)],
        ],
    )
    def test_refuses_what_is_no_order(self, shop, items):
        body = {"items": items}
        answer = shop.client.post("/api/orders", json=body, headers=shop.as_anna)
        assert answer.status_code == 422

    @pytest.mark.parametrize("field", ["user_id", "status", "total_price"])
    def test_refuses_what_is_not_the_clients_to_say(self, shop, field):
        body = {"items": [{"product_id": shop.mug, "quantity": 1}], field: 1}
        answer = shop.client.post("/api/orders", json=body, headers=shop.as_anna)
        assert answer.status_code == 422

    def test_takes_a_hundred_products(self, shop):
        ids = [new_product(f"Mug {number}", "1.00") for number in range(100)]
        items = [{"product_id": product_id, "quantity": 1} for product_id in ids]
        answer = shop.client.post("/api/orders", json={"items": items}, headers=shop.as_anna)
        assert [item["product_id"] for item in answer.json()["items"]] == ids
        assert answer.json()["total_price"] == "100.00"

    @pytest.mark.parametrize(("trouble", "status"), [("none", 404), ("gone", 404), ("out", 409)])
    def test_all_or_nothing(self, shop, trouble, status):
        wanted = {"none": 999_999, "gone": new_product(), "out": new_product(in_stock=False)}
        shop.client.delete(f"/api/products/{wanted['gone']}", headers=shop.as_admin)
        items = [
            {"product_id": shop.mug, "quantity": 1},
            {"product_id": wanted[trouble], "quantity": 1},
        ]
        headers = {**shop.as_anna, "Idempotency-Key": "once"}

        answer = shop.client.post("/api/orders", json={"items": items}, headers=headers)
        assert answer.status_code == status
        assert [count(table) for table in ("orders", "order_items", "outbox")] == [0, 0, 0]
        # The key was not used up by an order that was never made.
        assert order(shop, **{"Idempotency-Key": "once"}).status_code == 201

    def test_writes_its_event_with_it(self, shop):
        made = order(shop).json()
        assert count("outbox", f"event = 'new_order' AND payload->>'order_id' = '{made['id']}'")


def where(refusal):
    """The place of its one fault."""
    (fault,) = refusal.json()["detail"]
    assert refusal.json()["error"] == f"Idempotency-Key: {fault['msg']}"
    return fault["loc"]


class TestIdempotencyKey:
    def test_twenty_at_once_make_one_order(self, shop):
        with ThreadPoolExecutor(20) as threads:
            jobs = [threads.submit(order, shop, **{"Idempotency-Key": "once"}) for _ in range(20)]
            answers = [job.result() for job in jobs]

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert [count(table) for table in ("orders", "order_items", "outbox")] == [1, 1, 1]

    def test_gives_the_same_answer_whatever_happened_since(self, shop):
        first = order(shop, **{"Idempotency-Key": "once"})
        patch(shop, first.json()["id"], "CANCELED", shop.as_anna)

        again = order(shop, **{"Idempotency-Key": "once"})
        assert (again.status_code, again.content) == (201, first.content)

    def test_refuses_another_body(self, shop):
        order(shop, **{"Idempotency-Key": "once"})
        refusal = order(shop, quantity=2, **{"Idempotency-Key": "once"})
        assert refusal.status_code == 422
        assert where(refusal) == ["header", "Idempotency-Key"]
        assert count("orders") == 1

    def test_belongs_to_its_user(self, shop):
        first = order(shop, **{"Idempotency-Key": "once"}).json()
        second = order(shop, shop.as_boris, **{"Idempotency-Key": "once"}).json()
        assert (first["user_id"], second["user_id"]) == (shop.anna, shop.boris)

    def test_is_good_for_a_day(self, shop):
        first = order(shop, **{"Idempotency-Key": "once"}).json()
        execute("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")

        second = order(shop, quantity=2, **{"Idempotency-Key": "once"})
        assert second.status_code == 201
        assert second.json()["id"] != first["id"]

    @pytest.mark.parametrize("key", ["", "a b", "k" * 256, "caf\u00e9"])
    def test_is_bounded(self, shop, key):
        refusal = order(shop, **{"Idempotency-Key": key.encode("latin-1")})
        assert refusal.status_code == 422
        assert where(refusal) == ["header", "Idempotency-Key"]


class TestRead:
    def test_ones_own_or_with_the_permission(self, shop):
        path = f"/api/orders/{order(shop).json()['id']}"
        for end in ("", "/events"):
            statuses = [
                shop.client.get(path + end, headers=headers).status_code
                for headers in (shop.as_anna, shop.as_admin, shop.as_boris, None)
            ]
            assert statuses == [200, 200, 403, 401]

    def test_what_is_not_there(self, shop):
        assert shop.client.get(UNKNOWN, headers=shop.as_anna).status_code == 404
        assert shop.client.get(f"{UNKNOWN}/events", headers=shop.as_anna).status_code == 404
        assert patch(shop, UNKNOWN[-36:], "PAID", shop.as_anna).status_code == 404
        assert shop.client.get("/api/orders/7", headers=shop.as_anna).status_code == 422

    def test_events_tell_what_was_done(self, shop):
        from services.event_service import handle
        from services.outbox_service import relay_batch

        made, other = order(shop).json(), order(shop).json()
        assert relay_batch(handle) == 2

        events = shop.client.get(f"/api/orders/{made['id']}/events", headers=shop.as_anna).json()
        assert [event["event"] for event in events] == ["new_order"]
        assert events[0]["happened_at"] == made["created_at"]
        assert set(events[0]) == {"event_id", "event", "happened_at", "handled_at"}
        assert other["id"] != made["id"]


class TestList:
    def test_shows_ones_own_the_newest_first(self, shop):
        mine = [order(shop).json() for _ in range(3)]
        others = order(shop, shop.as_boris).json()

        def ids(path, headers):
            return [row["id"] for row in shop.client.get(path, headers=headers).json()]

        newest_first = [row["id"] for row in reversed(mine)]
        assert ids("/api/orders", shop.as_anna) == newest_first
        assert ids("/api/orders", shop.as_admin) == [others["id"], *newest_first]
        assert ids(f"/api/orders/user/{shop.anna}", shop.as_anna) == newest_first
        assert ids(f"/api/orders/user/{shop.anna}", shop.as_admin) == newest_first

    def test_rows_are_as_the_single_order(self, shop):
        made = order(shop)
        listed = shop.client.get("/api/orders", headers=shop.as_anna)
        assert listed.content == b"[" + made.content + b"]"

    def test_of_others_needs_the_permission(self, shop):
        path = f"/api/orders/user/{shop.anna}"
        assert shop.client.get(path, headers=shop.as_boris).status_code == 403
        assert shop.client.get(path).status_code == 401
        assert shop.client.get("/api/orders").status_code == 401
        assert shop.client.get("/api/orders/user/999999", headers=shop.as_admin).status_code == 404

    def test_by_status(self, shop):
        pending, canceled = order(shop).json(), order(shop).json()
        patch(shop, canceled["id"], "CANCELED", shop.as_anna)

        def ids(status, path="/api/orders"):
            answer = shop.client.get(f"{path}?status={status}", headers=shop.as_anna)
            return [row["id"] for row in answer.json()]

        assert ids("PENDING") == [pending["id"]]
        assert ids("CANCELED", f"/api/orders/user/{shop.anna}") == [canceled["id"]]
        assert ids("SHIPPED") == []
        answer = shop.client.get("/api/orders?status=LOST", headers=shop.as_anna)
        assert answer.status_code == 422

    def test_pages_have_no_gaps_while_new_orders_arrive(self, shop):
        made = [order(shop).json()["id"] for _ in range(5)]
        order(shop, shop.as_boris)

        seen, path = [], "/api/orders?limit=2&status=PENDING"
        while path:
            page = shop.client.get(path, headers=shop.as_anna)
            seen += [row["id"] for row in page.json()]
            path = page.links.get("next", {}).get("url")
            order(shop)
        assert seen == made[::-1]

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=x", "cursor=AAAAAAAAAAE"])
    def test_refuses_a_page_that_cannot_be(self, shop, query):
        answer = shop.client.get(f"/api/orders?{query}", headers=shop.as_anna)
        assert answer.status_code == 422


class TestStatus:
    WAYS: ClassVar = {
        ("PENDING", "PAID"),
        ("PENDING", "CANCELED"),
        ("PAID", "SHIPPED"),
        ("PAID", "CANCELED"),
    }

    @pytest.mark.parametrize("before", ["PENDING", "PAID", "SHIPPED", "CANCELED"])
    @pytest.mark.parametrize("after", ["PENDING", "PAID", "SHIPPED", "CANCELED"])
    def test_goes_only_these_ways(self, shop, before, after):
        made, other = order(shop).json(), order(shop).json()
        execute("UPDATE orders SET status = %s WHERE id = %s", (before, made["id"]))

        answer = patch(shop, made["id"], after, shop.as_admin)
        allowed = (before, after) in self.WAYS
        assert answer.status_code == (200 if allowed else 409)
        now = shop.client.get(f"/api/orders/{made['id']}", headers=shop.as_anna).json()
        assert now["status"] == (after if allowed else before)
        if allowed:
            assert now == answer.json()
            assert now["updated_at"] > now["created_at"]
        still = shop.client.get(f"/api/orders/{other['id']}", headers=shop.as_anna).json()
        assert still == other

    @pytest.mark.parametrize(
        ("who", "status", "expected"),
        [
            ("as_anna", "CANCELED", 200),
            ("as_anna", "PAID", 403),
            ("as_anna", "PENDING", 403),
            ("as_boris", "CANCELED", 403),
            ("as_boris", "PAID", 403),
            ("as_admin", "PAID", 200),
            ("as_admin", "LOST", 422),
        ],
    )
    def test_who_may(self, shop, who, status, expected):
        made = order(shop).json()
        assert patch(shop, made["id"], status, getattr(shop, who)).status_code == expected

    def test_a_guest_may_not(self, shop):
        assert patch(shop, order(shop).json()["id"], "CANCELED", None).status_code == 401

    def test_one_of_ten_at_once_wins(self, shop):
        made = order(shop).json()
        with ThreadPoolExecutor(10) as threads:
            wanted = ["PAID", "CANCELED"] * 5
            jobs = [threads.submit(patch, shop, made["id"], each, shop.as_admin) for each in wanted]
            statuses = sorted(job.result().status_code for job in jobs)
        # CANCELED may still follow PAID.
        assert statuses.count(200) in (1, 2)
        assert set(statuses) == {200, 409}


def test_ids_tell_nothing_of_each_other(shop):
    first, second = order(shop).json()["id"], order(shop).json()["id"]
    assert first[14] == second[14] == str(uuid4())[14]
    assert first[:8] != second[:8]
