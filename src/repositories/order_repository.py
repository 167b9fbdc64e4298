"""Orders in PostgreSQL, each with its items."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from dto.order_dto import NewOrder, Order, OrderEvent, OrderFilter, Status
from repositories.sql import Conn, execute, fetch_all, fetch_one
from utils.errors import NotFound

ITEMS: LiteralString = """
    json_agg(
        json_build_object(
            'product_id', i.product_id,
            'name', i.name,
            'price', i.price::text,
            'quantity', i.quantity
        )
        ORDER BY i.position
    ) AS items
"""
ITEMS_OF_ORDER: LiteralString = f"(SELECT {ITEMS} FROM order_items i WHERE i.order_id = o.id) items"


def create_order(order: NewOrder, conn: Conn) -> Order:
    """Inserts the order and its items."""
    items = order["items"]
    return fetch_one(
        f"""
        WITH o AS (
            INSERT INTO orders (id, user_id, total_price)
            VALUES (%s, %s, %s)
            RETURNING id, user_id, total_price, status, created_at, updated_at
        ), i AS (
            INSERT INTO order_items (order_id, position, product_id, name, price, quantity)
            SELECT o.id, wanted.position, wanted.product_id, wanted.name, wanted.price,
                   wanted.quantity
            FROM o
            CROSS JOIN unnest(%s::bigint[], %s::text[], %s::numeric[], %s::smallint[])
                WITH ORDINALITY AS wanted (product_id, name, price, quantity, position)
            RETURNING position, product_id, name, price, quantity
        )
        SELECT o.id::text AS id, o.user_id, (SELECT {ITEMS} FROM i) AS items,
               o.total_price, o.status, o.created_at, o.updated_at
        FROM o
        """,
        (
            order["id"],
            order["user_id"],
            order["total_price"],
            [item["product_id"] for item in items],
            [item["name"] for item in items],
            [item["price"] for item in items],
            [item["quantity"] for item in items],
        ),
        conn,
    )


def get_order(order_id: UUID) -> Order:
    """Raises NotFound."""
    return _found(
        fetch_one(
            f"""
            SELECT o.id::text AS id, o.user_id, {ITEMS_OF_ORDER},
                   o.total_price, o.status, o.created_at, o.updated_at
            FROM orders o
            WHERE o.id = %s
            """,
            (order_id,),
        )
    )


def get_orders(dto: OrderFilter) -> list[Order]:
    """The newest first. The sub-select picks the page, so only the items of its rows are read."""
    conditions: list[LiteralString] = ["true"]
    params: list[Any] = []
    if dto["owner_id"] is not None:
        conditions.append("user_id = %s")
        params.append(dto["owner_id"])
    if dto["status"] is not None:
        conditions.append("status = %s")
        params.append(dto["status"])
    if dto["after_id"] is not None:
        conditions.append("number < (SELECT number FROM orders WHERE id = %s)")
        params.append(dto["after_id"])
    return fetch_all(
        f"""
        SELECT o.id::text AS id, o.user_id, {ITEMS_OF_ORDER},
               o.total_price, o.status, o.created_at, o.updated_at
        FROM (
            SELECT id, number, user_id, total_price, status, created_at, updated_at
            FROM orders
            WHERE {" AND ".join(conditions)}
            ORDER BY number DESC
            LIMIT %s
        ) o
        ORDER BY o.number DESC
        """,
        (*params, dto["limit"]),
    )


def get_owner_id(order_id: UUID) -> int:
    """Raises NotFound."""
    row = _found(fetch_one("SELECT user_id FROM orders WHERE id = %s", (order_id,)))
    return row["user_id"]


def update_status(order_id: UUID, status: Status, allowed_from: list[Status]) -> Order | None:
    """None when the order's status is not in `allowed_from`."""
    return fetch_one(
        f"""
        UPDATE orders o
        SET status = %s, updated_at = now()
        WHERE o.id = %s AND o.status = ANY(%s)
        RETURNING o.id::text AS id, o.user_id, {ITEMS_OF_ORDER},
                  o.total_price, o.status, o.created_at, o.updated_at
        """,
        (status, order_id, allowed_from),
    )


def add_event(
    event_id: UUID, order_id: UUID, event: str, happened_at: datetime, conn: Conn
) -> None:
    """An event whose id is stored already changes nothing. Raises NotFound."""
    try:
        execute(
            """
            INSERT INTO order_events (event_id, order_id, event, happened_at)
            VALUES (%s, %s, %s, %s)
            ON CONFLICT ON CONSTRAINT pk__order_events DO NOTHING
            """,
            (event_id, order_id, event, happened_at),
            conn,
        )
    except ForeignKeyViolation as error:
        raise NotFound("Order not found", code="order_not_found") from error


def get_events(order_id: UUID) -> list[OrderEvent]:
    """The oldest first, at most 100."""
    return fetch_all(
        """
        SELECT event_id::text AS event_id, event, happened_at, handled_at
        FROM order_events
        WHERE order_id = %s
        ORDER BY happened_at, event_id
        LIMIT 100
        """,
        (order_id,),
    )


def _found(row: Any) -> Any:
    if row is None:
        raise NotFound("Order not found", code="order_not_found")
    return row
