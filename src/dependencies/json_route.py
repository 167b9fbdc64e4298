"""How a controller's result becomes bytes: the one shortcut that every resource uses.

FastAPI would validate each answer against its model and do so in a second thread. Here the
answer, plain dicts of listed columns, is written by pydantic's core in the thread that produced
it. The models in the route tables are the documentation; tests compare them with the answers.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic_core import to_json


class JsonRoute(APIRoute):
    """A route whose controller returns plain data: dicts, lists, dates, decimals, or nothing."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        status = options.get("status_code") or 200

        @wraps(endpoint)
        def answer(*args: Any, **kwargs: Any) -> Response:
            result = endpoint(*args, **kwargs)
            if isinstance(result, Response):
                return result
            if status == 204:
                return Response(status_code=204)
            return Response(to_json(result), status, media_type="application/json")

        super().__init__(path, answer, **options)
