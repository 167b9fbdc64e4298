"""Products: reading, writing, deleting."""

from collections.abc import Generator
from contextlib import contextmanager

from pydantic_core import to_json

from dto.product_dto import NewProduct, Product, ProductChanges
from repositories import product_repository
from repositories.sql import Conn, transaction
from services import access_rules, idempotency_service
from utils.entity_tag import entity_tag, is_current
from utils.errors import PreconditionFailed


def get_all(after_id: int | None, limit: int, offset: int) -> list[Product]:
    """Ordered by id, those after `after_id`."""
    access_rules.require_permission("product:read")
    return product_repository.get_products(after_id or 0, limit, offset)


def get_by_id(product_id: int) -> Product:
    """Raises NotFound."""
    access_rules.require_permission("product:read")
    return product_repository.get_product_by_id(product_id)


def create(dto: NewProduct) -> Product:
    access_rules.require_permission("product:create")
    return idempotency_service.once(
        dto, lambda *conn: product_repository.create_product(dto, *conn)
    )


def update(product_id: int, dto: ProductChanges, if_match: str | None = None) -> Product:
    """Orders keep the name and the price they were made with. Raises InvalidRequest, NotFound,
    PreconditionFailed."""
    access_rules.require_permission("product:update")
    with _as_read(product_id, if_match) as conn:
        return product_repository.update_product(product_id, dto, conn)


def delete(product_id: int, if_match: str | None = None) -> None:
    """Raises NotFound, PreconditionFailed."""
    access_rules.require_permission("product:delete")
    with _as_read(product_id, if_match) as conn:
        product_repository.delete_product(product_id, conn)


@contextmanager
def _as_read(product_id: int, if_match: str | None) -> Generator[Conn | None]:
    """A transaction in which the product is what a client with this header has read, and in which
    nobody else changes it. Without the header, none."""
    if if_match is None:
        yield None
        return
    with transaction() as conn:
        product = product_repository.lock_product(product_id, conn)
        if not is_current(entity_tag(to_json(product)), if_match):
            raise PreconditionFailed("The product has changed since you have read it")
        yield conn
