"""Bodies with money in them: 10.10 is read as the decimal that was sent, not as a float near it."""

import json
from decimal import Decimal
from typing import Any

from dependencies.routing.json_route import JsonRoute, Utf8Request


class ExactJsonRequest(Utf8Request):
    async def json(self) -> Any:
        value = json.loads((await self.body()).decode("utf-8-sig"), parse_float=Decimal)
        # A lone number is no body; but FastAPI would look for the fields among the attributes of
        # a Decimal, and take none for an empty change.
        return float(value) if isinstance(value, Decimal) else value


class ExactJsonRoute(JsonRoute):
    """A JsonRoute whose controller gets a `Decimal` for every number with a point or exponent."""

    request_class = ExactJsonRequest
