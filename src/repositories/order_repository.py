"""Orders in PostgreSQL, each with its items."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from dto.order_dto import NewOrder, Order, OrderEvent, OrderFilter, Status
from repositories.sql import Conn, execute, fetch_all, fetch_one
from utils import context
from utils.errors import Conflict, NotFound

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


def create_order(order: NewOrder, conn: Conn | None = None) -> Order:
    """The order with its items, priced as the products are now, and its event in the outbox: one
    statement, which makes all of it or nothing.

    Raises NotFound and Conflict for the first product that is unknown or out of stock.
    """
    row = fetch_one(
        f"""
        WITH wanted AS (
            SELECT product_id, quantity, position
            FROM unnest(%s::bigint[], %s::smallint[])
                WITH ORDINALITY AS wanted (product_id, quantity, position)
        ), refused AS (
            SELECT w.product_id, p.id IS NULL AS is_unknown
            FROM wanted w
            LEFT JOIN products p ON p.id = w.product_id AND p.deleted_at IS NULL
            WHERE p.in_stock IS NOT TRUE
            ORDER BY w.position
            LIMIT 1
        ), item AS (
            SELECT w.position, w.product_id, p.name, p.price, w.quantity
            FROM wanted w
            JOIN products p ON p.id = w.product_id
            WHERE NOT EXISTS (SELECT FROM refused)
        ), o AS (
            INSERT INTO orders (id, user_id, total_price)
            SELECT %s, %s, sum(price * quantity)
            FROM item
            HAVING count(*) > 0
            RETURNING id, user_id, total_price, status, created_at, updated_at
        ), i AS (
            INSERT INTO order_items (order_id, position, product_id, name, price, quantity)
            SELECT o.id, item.position, item.product_id, item.name, item.price, item.quantity
            FROM o
            CROSS JOIN item
            RETURNING position, product_id, name, price, quantity
        ), event AS (
            INSERT INTO outbox (event, payload)
            SELECT 'new_order',
                   jsonb_strip_nulls(jsonb_build_object('order_id', o.id, 'traceparent', %s::text))
            FROM o
        )
        SELECT o.id::text AS id, o.user_id, (SELECT {ITEMS} FROM i) AS items,
               o.total_price, o.status, o.created_at, o.updated_at,
               refused.product_id AS refused_id, refused.is_unknown
        FROM o
        FULL JOIN refused ON true
        """,
        (
            [item["product_id"] for item in order["items"]],
            [item["quantity"] for item in order["items"]],
            order["id"],
            order["user_id"],
            context.traceparent.get(),
        ),
        conn,
    )
    refused_id, is_unknown = row.pop("refused_id"), row.pop("is_unknown")
    if is_unknown:
        raise NotFound(f"Product {refused_id} not found", code="product_not_found")
    if refused_id:
        raise Conflict(f"Product {refused_id} is out of stock", code="out_of_stock")
    return row


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
