"""Products: each service function is one call of the repository."""

from unittest.mock import patch

import pytest

from services import product_service
from utils.errors import NotFound

DTO = {"name": "Mug", "price": "10.10", "in_stock": True}
CALLS = [
    ("get_all", (7, 10, 0), "get_products", (7, 10, 0)),
    ("get_all", (None, 10, 5), "get_products", (0, 10, 5)),
    ("get_by_id", (3,), "get_product_by_id", (3,)),
    ("create", (DTO,), "create_product", (DTO,)),
    ("update", (3, {"price": "1.00"}), "update_product", (3, {"price": "1.00"})),
    ("delete", (3,), "delete_product", (3,)),
]


@pytest.mark.parametrize(("service", "args", "repository", "expected"), CALLS)
def test_asks_the_repository(service, args, repository, expected):
    with patch(f"repositories.product_repository.{repository}") as call:
        getattr(product_service, service)(*args)

    call.assert_called_once_with(*expected)


@pytest.mark.parametrize(("service", "args", "repository", "expected"), CALLS[2:])
def test_lets_its_errors_through(service, args, repository, expected):
    error = NotFound("Product not found")
    with (
        patch(f"repositories.product_repository.{repository}", side_effect=error),
        pytest.raises(NotFound),
    ):
        getattr(product_service, service)(*args)
