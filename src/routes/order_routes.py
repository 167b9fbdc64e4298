"""Orders."""

from fastapi import APIRouter

from controllers import order_controller
from dependencies.auth import MEMBER, own_or, require
from dependencies.documentation.answers import documented_errors
from dependencies.params import IDEMPOTENT
from dependencies.rate_limit import limit
from dependencies.routing.json_route import JsonRoute
from dto.order_dto import Order, OrderEvent

router = APIRouter(
    prefix="/api/orders",
    tags=["orders"],
    route_class=JsonRoute,
    dependencies=[limit("order")],
)

router.post(
    "",
    summary="Order products",
    status_code=201,
    response_model=Order,
    responses=documented_errors({404: "Product 1 not found", 409: "Product 1 is out of stock"}),
    dependencies=[require("order:create"), IDEMPOTENT],
)(order_controller.create_order)

router.get(
    "",
    summary="List your orders",
    response_model=list[Order],
    dependencies=[MEMBER],
)(order_controller.get_orders)

router.get(
    "/user/{user_id}",
    summary="List one user's orders",
    response_model=list[Order],
    responses=documented_errors({404: "User not found"}),
    dependencies=[own_or("order:read_any")],
)(order_controller.get_orders_of_user)

router.get(
    "/{order_id}",
    summary="Read one order",
    response_model=Order,
    responses=documented_errors({403: "This is somebody else's order", 404: "Order not found"}),
    dependencies=[MEMBER],
)(order_controller.get_order)

router.get(
    "/{order_id}/events",
    summary="Read what happened to an order",
    response_model=list[OrderEvent],
    responses=documented_errors({403: "This is somebody else's order", 404: "Order not found"}),
    dependencies=[MEMBER],
)(order_controller.get_order_events)

router.patch(
    "/{order_id}",
    summary="Pay, ship or cancel an order",
    response_model=Order,
    responses=documented_errors(
        {
            403: "This needs the permission order:update_any",
            404: "Order not found",
            409: "The order cannot become PAID from its present status",
        }
    ),
    dependencies=[MEMBER],
)(order_controller.update_order)
