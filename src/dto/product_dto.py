"""Products in requests and answers, and between the layers."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from dto.fields import ChangeModel, RequestModel, Text, documented, optional_field, read_only_field
from dto.money import Money, Price

ProductName = Annotated[str, Text(min_length=2, max_length=128, visible=True)]
InStock = Annotated[bool, Field(strict=True)]


class CreateProductDto(RequestModel):
    name: ProductName = Field(examples=["Gopher mug"])
    price: Price = Field(examples=["1000.00"])
    in_stock: InStock = Field(default=True, description="Whether it can be ordered.")


class UpdateProductDto(ChangeModel):
    """Only the fields that are sent change."""

    name: ProductName = optional_field("Gopher mug")
    price: Price = optional_field("1000.00")
    in_stock: InStock = optional_field(True)
    id: Any = read_only_field(1)


class NewProduct(TypedDict):
    name: str
    price: Decimal
    in_stock: bool


class ProductChanges(TypedDict, total=False):
    name: str
    price: Decimal
    in_stock: bool


@documented({"id": 1, "name": "Gopher mug", "price": "1000.00", "in_stock": True})
class Product(TypedDict):
    """`price` is a decimal string with two places."""

    id: int
    name: str
    price: Money
    in_stock: bool
