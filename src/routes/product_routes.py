"""Products."""

from fastapi import APIRouter

from controllers import product_controller
from dependencies.auth import require
from dependencies.documentation.answers import documented_errors
from dependencies.documentation.examples import request_examples
from dependencies.params import IDEMPOTENT
from dependencies.rate_limit import limit
from dependencies.routing.exact_json_route import ExactJsonRoute
from dependencies.routing.tagged_json import TaggedJson
from dto.product_dto import Product

CHANGED = "The product has changed since you have read it"

router = APIRouter(
    prefix="/api/products",
    tags=["products"],
    route_class=ExactJsonRoute,
    dependencies=[limit("product")],
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
    response_class=TaggedJson,
    response_model=Product,
    dependencies=[require("product:create"), IDEMPOTENT],
    openapi_extra=request_examples(
        bodies={
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
    response_class=TaggedJson,
    response_model=Product,
    responses=documented_errors({404: "Product not found"}),
    dependencies=[require("product:read")],
)(product_controller.get_product)

router.put(
    "/{product_id}",
    summary="Change a product",
    response_class=TaggedJson,
    response_model=Product,
    responses=documented_errors(
        {400: "No fields to update", 404: "Product not found", 412: CHANGED}
    ),
    dependencies=[require("product:update")],
)(product_controller.update_product)

router.delete(
    "/{product_id}",
    summary="Delete a product",
    status_code=204,
    responses=documented_errors({404: "Product not found", 412: CHANGED}),
    dependencies=[require("product:delete")],
    openapi_extra=request_examples(path={"product_id": 2}),
)(product_controller.delete_product)
