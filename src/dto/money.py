"""Money: exact decimals with two places, in JSON and in the table.

A client may send a string or a number. Routes that take money read numbers in JSON as decimals, not
as floats (`dependencies/routing/exact_json_route.py`).
"""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

CENT = Decimal("0.01")
PRICE_MAX = Decimal("9999999999.99")
PLAIN_DECIMAL = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")
NOT_MONEY = 'Not an amount with at most two decimal places, such as "10.50"'


def _to_decimal(value: object) -> Decimal:
    if isinstance(value, str) and PLAIN_DECIMAL.fullmatch(value):
        return Decimal(value).quantize(CENT)
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise ValueError(NOT_MONEY)
    # The bounds come first: 1e999 is a number, but too large to be rounded.
    number = Decimal(value)
    if not 0 <= number <= PRICE_MAX:
        raise ValueError(f"Must be between 0 and {PRICE_MAX}")
    if number.as_tuple().exponent < -2:  # pyright: ignore[reportOperatorIssue]
        raise ValueError(NOT_MONEY)
    return abs(number).quantize(CENT)


# In requests.
Price = Annotated[
    Decimal,
    BeforeValidator(_to_decimal),
    Field(ge=0, le=PRICE_MAX),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,2})?$"},
                {"type": "number", "minimum": 0, "maximum": 9999999999.99, "multipleOf": 0.01},
            ]
        }
    ),
]
# In answers.
Money = Annotated[Decimal, WithJsonSchema({"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}$"})]
