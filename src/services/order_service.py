"""Orders: creating and reading them, and changing their status."""

from uuid import UUID, uuid4

from dto.order_dto import NewOrder, Order, OrderEvent, OrderFilter, Status, WantedItem
from repositories import order_repository, user_repository
from services import access_rules, idempotency_service, order_cache
from utils.errors import Conflict, Forbidden

# The statuses from which each status can be reached.
ALLOWED_FROM: dict[Status, list[Status]] = {
    "PENDING": [],
    "PAID": ["PENDING"],
    "SHIPPED": ["PAID"],
    "CANCELED": ["PENDING", "PAID"],
}


def create(user_id: int, wanted: list[WantedItem]) -> Order:
    """A new order, and its event `new_order`; once for each idempotency key.

    Raises NotFound for an unknown product, Conflict for one that is out of stock, Unprocessable
    when the key was used for another request.
    """
    access_rules.require_acting_for(user_id, "order:create")
    order: NewOrder = {"id": uuid4(), "user_id": user_id, "items": wanted}
    return idempotency_service.once(
        wanted, lambda *conn: order_repository.create_order(order, *conn)
    )


def get_all(dto: OrderFilter) -> list[Order]:
    """The caller's own, the newest first; with `order:read_any` everybody's."""
    if not access_rules.may("order:read_any"):
        dto = {**dto, "owner_id": access_rules.require_member()}
    return order_repository.get_orders(dto)


def get_all_of_user(dto: OrderFilter, user_id: int) -> list[Order]:
    """One user's orders, the newest first. Raises NotFound when there is no such user."""
    access_rules.require_own_or(user_id, "order:read_any")
    orders = order_repository.get_orders({**dto, "owner_id": user_id})
    if not orders:
        user_repository.get_user_by_id(user_id)
    return orders


def get_by_id(order_id: UUID) -> Order:
    """Raises NotFound, and Forbidden for another user's order."""
    order = order_cache.read(order_id, lambda: order_repository.get_order(order_id))
    _require_own_or(order["user_id"], "order:read_any")
    return order


def get_events(order_id: UUID) -> list[OrderEvent]:
    """Raises NotFound, and Forbidden for another user's order."""
    _require_own_or(order_repository.get_owner_id(order_id), "order:read_any")
    return order_repository.get_events(order_id)


def change_status(order_id: UUID, status: Status) -> Order:
    """The owner may cancel; the rest is for `order:update_any`.

    Raises NotFound, Forbidden, and Conflict when its present status does not allow the change.
    """
    _require_own_or(order_repository.get_owner_id(order_id), "order:update_any")
    if status != "CANCELED":
        access_rules.require_permission("order:update_any")
    try:
        order = order_repository.update_status(order_id, status, ALLOWED_FROM[status])
    finally:
        # Also after an error: the change may have been committed before the connection was lost.
        order_cache.invalidate(order_id)
    if order is None:
        raise Conflict(
            f"The order cannot become {status} from its present status", code="order_status"
        )
    return order


def _require_own_or(owner_id: int, permission: str) -> None:
    if not (access_rules.is_caller(owner_id) or access_rules.may(permission)):
        raise Forbidden("This is somebody else's order")
