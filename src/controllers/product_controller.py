"""HTTP for products."""

from typing import cast

from dependencies.pagination import CursorPage
from dependencies.params import IfMatch, ProductId
from dto.product_dto import (
    CreateProductDto,
    NewProduct,
    Product,
    ProductChanges,
    UpdateProductDto,
)
from services import product_service


def get_products(page: CursorPage) -> list[Product]:
    """All products, ordered by id. The `Link` header leads to the next page."""
    return page.by_cursor(product_service.get_all(page.after_id, page.fetch_limit, page.offset))


def get_product(product_id: ProductId) -> Product:
    """One product."""
    return product_service.get_by_id(product_id)


def create_product(dto: CreateProductDto) -> Product:
    """A new product. Send the price as a string or a number; it is kept to the cent."""
    return product_service.create(cast(NewProduct, dto.model_dump()))


def update_product(
    product_id: ProductId, dto: UpdateProductDto, if_match: IfMatch = None
) -> Product:
    """Changes the fields that are sent. Orders made before stay as they are."""
    changes = cast(ProductChanges, dto.model_dump(exclude_unset=True))
    return product_service.update(product_id, changes, if_match)


def delete_product(product_id: ProductId, if_match: IfMatch = None) -> None:
    """Deletes a product. Orders that contain it stay as they are."""
    product_service.delete(product_id, if_match)
