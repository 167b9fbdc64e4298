"""Products."""

from fastapi import APIRouter

from controllers import product_controller
from dependencies.auth import require
from dependencies.documentation.answers import refusals
from dependencies.documentation.examples import tried_with
from dependencies.rate_limit import limit
from dependencies.routing.exact_json_route import ExactJsonRoute
from dto.product_dto import Product

router = APIRouter(
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
    openapi_extra=tried_with(
        {
            "A mug": {"name": "Gopher mug", "price": "1000.00"},
            "A shirt, not in stock yet": {
                "name": "Gopher shirt",
                "price": "1500.50",
                "in_stock": False,
            },
        }
    ),
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
    openapi_extra=tried_with(product_id=2),
)(product_controller.delete_product)
