"""Bodies with money in them: 10.10 is read as the decimal that was sent, not as a float near it."""

import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

from fastapi import Request, Response

from dependencies.json_route import JsonRoute


class ExactJsonRequest(Request):
    async def json(self) -> Any:
        return json.loads(await self.body(), parse_float=Decimal)


class ExactJsonRoute(JsonRoute):
    """A JsonRoute whose controller gets a `Decimal` for every number with a point or exponent."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_exactly(request: Request) -> Response:
            return await handle(ExactJsonRequest(request.scope, request.receive))

        return handle_exactly
