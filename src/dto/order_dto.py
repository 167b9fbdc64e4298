"""Orders in requests and answers, and between the layers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import TypedDict

from dto.fields import MAX_ID, RequestModel, check_whole_number, documented
from dto.money import Money

Status = Literal["PENDING", "PAID", "SHIPPED", "CANCELED"]


class OrderItemDto(RequestModel):
    product_id: Annotated[int, Field(ge=1, le=MAX_ID), BeforeValidator(check_whole_number)] = Field(
        examples=[1]
    )
    quantity: Annotated[int, Field(ge=1, le=1000), BeforeValidator(check_whole_number)] = Field(
        examples=[2]
    )


def _distinct(items: list[OrderItemDto]) -> list[OrderItemDto]:
    if len({item.product_id for item in items}) < len(items):
        raise ValueError("Each product may stand in an order once")
    return items


class CreateOrderDto(RequestModel):
    """What to buy. The server adds names, prices and the total."""

    items: Annotated[
        list[OrderItemDto], Field(min_length=1, max_length=100), AfterValidator(_distinct)
    ] = Field(examples=[[{"product_id": 1, "quantity": 2}]])


class UpdateOrderDto(RequestModel):
    status: Status = Field(examples=["CANCELED"])


class WantedItem(TypedDict):
    product_id: int
    quantity: int


class OrderItem(TypedDict):
    """Name and price as they were when the order was made."""

    product_id: int
    name: str
    price: Money
    quantity: int


class NewOrder(TypedDict):
    id: UUID
    user_id: int
    items: list[WantedItem]


class OrderFilter(TypedDict):
    """`owner_id` None: of all users. `after_id`: the last order of the previous page."""

    owner_id: int | None
    status: Status | None
    after_id: UUID | None
    limit: int


@documented(
    {
        "id": "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b",
        "user_id": 7,
        "items": [{"product_id": 1, "name": "Gopher mug", "price": "1000.00", "quantity": 2}],
        "total_price": "2000.00",
        "status": "PENDING",
        "created_at": "2026-11-21T12:00:00Z",
        "updated_at": "2026-11-21T12:00:00Z",
    }
)
class Order(TypedDict):
    """`total_price` is the sum of price times quantity, a decimal string with two places."""

    id: str
    user_id: int
    items: list[OrderItem]
    total_price: Money
    status: Status
    created_at: datetime
    updated_at: datetime


@documented(
    {
        "event_id": "5f0c2a53-1d8e-4c07-9f4e-52a2a5a3f6b1",
        "event": "new_order",
        "happened_at": "2026-11-21T12:00:00Z",
        "handled_at": "2026-11-21T12:00:01Z",
    }
)
class OrderEvent(TypedDict):
    """An event of an order, with the time of its handling."""

    event_id: str
    event: str
    happened_at: datetime
    handled_at: datetime
