"""HTTP for orders."""

from typing import cast

from dependencies.auth import CurrentUserId
from dependencies.pagination import UuidCursorPage
from dependencies.params import OrderId, OrderStatus, UserId
from dto.order_dto import (
    CreateOrderDto,
    Order,
    OrderEvent,
    OrderFilter,
    Status,
    UpdateOrderDto,
    WantedItem,
)
from services import order_service


def create_order(dto: CreateOrderDto, user_id: CurrentUserId) -> Order:
    """A new order at the present prices."""
    return order_service.create(user_id, cast(list[WantedItem], dto.model_dump()["items"]))


def get_orders(page: UuidCursorPage, status: OrderStatus = None) -> list[Order]:
    """Your orders, the newest first; with `order:read_any`, everybody's."""
    return page.by_cursor(order_service.get_all(_filter(page, status)))


def get_orders_of_user(
    user_id: UserId, page: UuidCursorPage, status: OrderStatus = None
) -> list[Order]:
    """One user's orders, the newest first."""
    return page.by_cursor(order_service.get_all_of_user(_filter(page, status), user_id))


def get_order(order_id: OrderId) -> Order:
    """One order: your own, or with `order:read_any` anybody's."""
    return order_service.get_by_id(order_id)


def get_order_events(order_id: OrderId) -> list[OrderEvent]:
    """The events of an order that were handled, the oldest first."""
    return order_service.get_events(order_id)


def update_order(order_id: OrderId, dto: UpdateOrderDto) -> Order:
    """PENDING to PAID or CANCELED, PAID to SHIPPED or CANCELED. The owner may cancel; the rest
    needs `order:update_any`."""
    return order_service.change_status(order_id, dto.status)


def _filter(page: UuidCursorPage, status: Status | None) -> OrderFilter:
    return {
        "owner_id": None,
        "status": status,
        "after_id": page.after_uuid,
        "limit": page.fetch_limit,
    }
