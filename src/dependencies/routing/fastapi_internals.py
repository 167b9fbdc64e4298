"""Every name of FastAPI used here that its documentation does not promise.

FastAPI is pinned, and `test_fastapi_internals.py` says in words which of them a new version has
changed. All other modules import what FastAPI documents.
"""

from typing import Any

from fastapi._compat import field_annotation_is_scalar
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from fastapi.routing import (
    APIRoute,
    _effective_route_context_var,  # pyright: ignore[reportPrivateUsage]
    iter_route_contexts,
)

__all__ = [
    "DefaultPlaceholder",
    "Dependant",
    "effective_route",
    "field_annotation_is_scalar",
    "get_dependant",
    "iter_route_contexts",
]


def effective_route(route: APIRoute) -> APIRoute:
    """The route as it is included, for its `get_route_handler`: with the dependencies of its
    router, of each `include_router` and of the app, which the route itself does not know."""
    included: Any = _effective_route_context_var.get()
    return included if included and included.original_route is route else route
