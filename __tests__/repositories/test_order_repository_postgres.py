"""Making orders on a real PostgreSQL: an order, its items and its event, or nothing."""

from decimal import Decimal
from uuid import uuid4

import pytest
from shop import count, new_product, new_user

from repositories import order_repository, product_repository
from repositories.sql import fetch_all
from utils import context
from utils.errors import Conflict, NotFound

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def anna(db):
    return new_user("gopher_anna")


@pytest.fixture
def mug(db):
    return new_product("Mug", "10.10")


@pytest.fixture
def cap(db):
    return new_product("Cap", "0.05")


def create(user_id, *items):
    wanted = [{"product_id": product, "quantity": quantity} for product, quantity in items]
    return order_repository.create_order({"id": uuid4(), "user_id": user_id, "items": wanted})


def test_prices_are_kept_in_the_order_that_was_asked_for(anna, mug, cap):
    boris = new_user("gopher_boris")
    made, other = create(anna, (cap, 1000), (mug, 3)), create(boris, (mug, 1))
    product_repository.update_product(mug, {"price": "99.00"})

    assert made["items"] == [
        {"product_id": cap, "name": "Cap", "price": "0.05", "quantity": 1000},
        {"product_id": mug, "name": "Mug", "price": "10.10", "quantity": 3},
    ]
    assert (made["total_price"], made["status"]) == (Decimal("80.30"), "PENDING")
    assert (made["user_id"], other["user_id"]) == (anna, boris)
    for order in (made, other):
        assert order_repository.get_order(order["id"]) == order


def test_its_event_waits_with_the_trace_of_the_request(anna, mug):
    first = create(anna, (mug, 1))
    context.traceparent.set(TRACE)
    second = create(anna, (mug, 1))

    events = fetch_all("SELECT event, payload FROM outbox ORDER BY id")
    assert events == [
        {"event": "new_order", "payload": {"order_id": first["id"]}},
        {"event": "new_order", "payload": {"order_id": second["id"], "traceparent": TRACE}},
    ]


@pytest.mark.parametrize(
    ("refused", "error", "sentence"),
    [
        (lambda: 999_999, NotFound, "Product 999999 not found"),
        (lambda: new_product(in_stock=False), Conflict, "Product {} is out of stock"),
    ],
)
def test_the_first_product_that_cannot_be_had_refuses_all(anna, mug, cap, refused, error, sentence):
    product_id = refused()
    product_repository.delete_product(cap)
    with pytest.raises(error, match=f"^{sentence.format(product_id)}$"):
        create(anna, (mug, 1), (product_id, 1), (cap, 1))
    with pytest.raises(NotFound, match=f"^Product {cap} not found$"):
        create(anna, (cap, 1), (product_id, 1))

    assert [count(table) for table in ("orders", "order_items", "outbox")] == [0, 0, 0]
