"""Money is exact, or refused."""

import json
from decimal import Decimal

import pytest
from pydantic import ValidationError

from dto.product_dto import CreateProductDto


def price_of(text: str) -> Decimal:
    """As a route reads it from a body."""
    body = json.loads(f'{{"name": "Mug", "price": {text}}}', parse_float=Decimal)
    return CreateProductDto.model_validate(body).price


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("10.1", "10.10"),
        ('"10.1"', "10.10"),
        ('"10.10"', "10.10"),
        ("10", "10.00"),
        ("0", "0.00"),
        ("-0.0", "0.00"),
        ("0.01", "0.01"),
        ("1e3", "1000.00"),
        ("9999999999.99", "9999999999.99"),
        ('"9999999999.99"', "9999999999.99"),
    ],
)
def test_is_kept_to_the_cent(text, price):
    assert str(price_of(text)) == price


@pytest.mark.parametrize(
    "text",
    [
        "1e999", "NaN", "Infinity", "-Infinity", "-0.01", '"-1"', "10.001", '"10.001"',
        "10.10000000000000000001", "9999999999.990000001", "10000000000", '"10000000000"',
        "true", "null", "[]", "{}", '""', '" 1"', '"1_0"', '"1,50"', '"1e3"', '"NaN"', '"٣"',
        '"1.00\\n"',
    ],
)  # fmt: skip
def test_refuses_what_is_no_amount(text):
    with pytest.raises(ValidationError):
        price_of(text)
