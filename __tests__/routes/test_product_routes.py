"""The shop's products over HTTP."""

import pytest
from shop import headers_of, new_product, new_user

MUG = {"name": "Mug", "price": "10.10", "in_stock": True}


@pytest.fixture
def people(client):
    return {
        "guest": {},
        "member": headers_of(new_user("gopher_anna")),
        "admin": headers_of(new_user("gopher_root", is_superuser=True)),
    }


def test_everybody_may_look(client, people):
    mug, cap = new_product(), new_product("Cap", "0.50", in_stock=False)

    answer = client.get("/api/products")
    assert answer.status_code == 200
    assert answer.json() == [
        {"id": mug, **MUG},
        {"id": cap, "name": "Cap", "price": "0.50", "in_stock": False},
    ]
    assert client.get(f"/api/products/{mug}").json() == {"id": mug, **MUG}


@pytest.mark.parametrize(("who", "status"), [("guest", 401), ("member", 403)])
def test_only_those_with_the_permission_may_write(client, people, who, status):
    mug = new_product()

    answers = [
        client.post("/api/products", json=MUG, headers=people[who]),
        client.put(f"/api/products/{mug}", json={"price": "1.00"}, headers=people[who]),
        client.delete(f"/api/products/{mug}", headers=people[who]),
    ]
    assert [answer.status_code for answer in answers] == [status] * 3
    assert client.get(f"/api/products/{mug}").json() == {"id": mug, **MUG}


def test_creates(client, people):
    body = '{"name": "Mug", "price": 10.1}'
    headers = {**people["admin"], "Content-Type": "application/json"}

    answer = client.post("/api/products", content=body, headers=headers)
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], **MUG}
    assert client.get("/api/products").json() == [answer.json()]


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "M", "price": 1}',
        '{"name": "%s", "price": 1}' % ("M" * 129),
        '{"name": "Mug\\u0000", "price": 1}',
        '{"name": "Mug"}',
        '{"price": 1}',
        '{"name": "Mug", "price": 1, "in_stock": "yes"}',
        '{"name": "Mug", "price": 1, "id": 5}',
        '{"name": "Mug", "price": 1e999}',
        '{"name": "Mug", "price": 1e99999999999999999999}',
        '{"name": "Mug", "price": NaN}',
        '{"name": "Mug", "price": 10.10000000000000000001}',
        '{"name": "Mug", "price": %s}' % ("9" * 5000),
    ],
)
def test_refuses_what_is_no_product(client, people, body):
    headers = {**people["admin"], "Content-Type": "application/json"}

    answer = client.post("/api/products", content=body, headers=headers)
    assert answer.status_code == 422
    assert set(answer.json()) == {"detail", "error"}
    assert client.get("/api/products").json() == []


def test_changes_only_what_is_sent(client, people):
    mug, cap = new_product(), new_product("Cap")

    answer = client.put(f"/api/products/{mug}", json={"price": 12.5}, headers=people["admin"])
    assert answer.status_code == 200
    assert answer.json() == {"id": mug, **MUG, "price": "12.50"}
    assert client.get(f"/api/products/{cap}").json()["price"] == "10.10"


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"name": None}, 422), ({"price": -1}, 422), ({"id": 1}, 400)]
)
def test_refuses_to_change_to_nonsense(client, people, body, status):
    mug = new_product()
    answer = client.put(f"/api/products/{mug}", json=body, headers=people["admin"])
    assert answer.status_code == status


def test_a_deleted_product_is_gone(client, people):
    mug, cap = new_product(), new_product("Cap")

    assert client.delete(f"/api/products/{mug}", headers=people["admin"]).status_code == 204
    again = [
        client.get(f"/api/products/{mug}"),
        client.put(f"/api/products/{mug}", json={"price": 1}, headers=people["admin"]),
        client.delete(f"/api/products/{mug}", headers=people["admin"]),
    ]
    assert [answer.status_code for answer in again] == [404] * 3
    assert [row["id"] for row in client.get("/api/products").json()] == [cap]


def test_pages_lead_through_all_products(client, people):
    ids = [new_product(f"Mug {number}") for number in range(5)]

    seen, path = [], "/api/products?limit=2"
    while path:
        page = client.get(path)
        seen += [row["id"] for row in page.json()]
        path = page.links.get("next", {}).get("url")
    assert seen == ids


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=x", "limit=-1"])
def test_refuses_a_page_that_cannot_be(client, people, query):
    assert client.get(f"/api/products?{query}").status_code == 422
