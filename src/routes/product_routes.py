"""Products."""

from controllers import product_controller
from dependencies.answers import refusals
from dependencies.auth import require
from dependencies.exact_json_route import ExactJsonRoute
from dependencies.rate_limit import limit
from dependencies.router import Router
from dto.product_dto import Product

router = Router(
    prefix="/api/products",
    tags=["products"],
    route_class=ExactJsonRoute,
    dependencies=[limit("product")],
    responses=refusals(401, 403, 422, 429),
)

router.get(
    "",
    summary="List the products",
    response_model=list[Product],
    dependencies=[require("product:read")],
)(product_controller.get_products)

router.post(
    "",
    summary="Add a product",
    status_code=201,
    response_model=Product,
    responses=refusals(413),
    dependencies=[require("product:create")],
)(product_controller.create_product)

router.get(
    "/{product_id}",
    summary="Read one product",
    response_model=Product,
    responses=refusals(s404="Product not found"),
    dependencies=[require("product:read")],
)(product_controller.get_product)

router.put(
    "/{product_id}",
    summary="Change a product",
    response_model=Product,
    responses=refusals(400, 413, s404="Product not found"),
    dependencies=[require("product:update")],
)(product_controller.update_product)

router.delete(
    "/{product_id}",
    summary="Delete a product",
    status_code=204,
    responses=refusals(s404="Product not found"),
    dependencies=[require("product:delete")],
)(product_controller.delete_product)
