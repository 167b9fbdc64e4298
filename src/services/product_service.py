"""Products: reading, writing, deleting."""

from dto.product_dto import NewProduct, Product, ProductChanges
from repositories import product_repository
from services import access_rules, idempotency_service


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


def update(product_id: int, dto: ProductChanges) -> Product:
    """Orders keep the name and the price they were made with. Raises InvalidRequest, NotFound."""
    access_rules.require_permission("product:update")
    return product_repository.update_product(product_id, dto)


def delete(product_id: int) -> None:
    """Raises NotFound."""
    access_rules.require_permission("product:delete")
    product_repository.delete_product(product_id)
