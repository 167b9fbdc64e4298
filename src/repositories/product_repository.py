"""Products in PostgreSQL. The row of a deleted product stays for the orders that refer to it."""

from typing import Any, LiteralString, cast

from dto.product_dto import NewProduct, Product, ProductChanges
from repositories.sql import Conn, execute, fetch_all, fetch_one
from utils.errors import InvalidRequest, NotFound

COLUMNS: tuple[LiteralString, ...] = ("name", "price", "in_stock")


def create_product(dto: NewProduct, conn: Conn | None = None) -> Product:
    return fetch_one(
        """
        INSERT INTO products (name, price, in_stock)
        VALUES (%s, %s, %s)
        RETURNING id, name, price, in_stock
        """,
        (dto["name"], dto["price"], dto["in_stock"]),
        conn,
    )


def get_products(after_id: int, limit: int, offset: int) -> list[Product]:
    """Those after `after_id`, ordered by id."""
    return fetch_all(
        """
        SELECT id, name, price, in_stock
        FROM products
        WHERE id > %s AND deleted_at IS NULL
        ORDER BY id
        OFFSET %s
        LIMIT %s
        """,
        (after_id, offset, limit),
        may_lag=True,
    )


def get_product_by_id(product_id: int) -> Product:
    """Raises NotFound."""
    return _found(
        fetch_one(
            """
            SELECT id, name, price, in_stock
            FROM products
            WHERE id = %s AND deleted_at IS NULL
            """,
            (product_id,),
        )
    )


def lock_product(product_id: int, conn: Conn) -> Product:
    """Its row stays as it is until the transaction ends; orders do not wait. Raises NotFound."""
    return _found(
        fetch_one(
            """
            SELECT id, name, price, in_stock
            FROM products
            WHERE id = %s AND deleted_at IS NULL
            FOR NO KEY UPDATE
            """,
            (product_id,),
            conn,
        )
    )


def update_product(product_id: int, dto: ProductChanges, conn: Conn | None = None) -> Product:
    """Changes the columns in `dto`. Raises InvalidRequest, NotFound."""
    columns: list[LiteralString] = [column for column in COLUMNS if column in dto]
    if not columns:
        raise InvalidRequest("No fields to update", code="no_fields_to_update")
    assignments: list[LiteralString] = [column + " = %s" for column in columns]
    values = cast(dict[str, Any], dto)
    return _found(
        fetch_one(
            f"""
            UPDATE products
            SET {", ".join(assignments)}, updated_at = now()
            WHERE id = %s AND deleted_at IS NULL
            RETURNING id, name, price, in_stock
            """,
            (*(values[column] for column in columns), product_id),
            conn,
        )
    )


def delete_product(product_id: int, conn: Conn | None = None) -> None:
    """Soft delete. Raises NotFound."""
    deleted = execute(
        "UPDATE products SET deleted_at = now() WHERE id = %s AND deleted_at IS NULL",
        (product_id,),
        conn,
    )
    if deleted == 0:
        raise NotFound("Product not found", code="product_not_found")


def _found(row: Any) -> Any:
    if row is None:
        raise NotFound("Product not found", code="product_not_found")
    return row
