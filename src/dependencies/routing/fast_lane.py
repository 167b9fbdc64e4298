"""The short way from a request to its controller, for every JsonRoute.

FastAPI asks one router after the other and one route after the other, opens four stacks for files
and generators that no route here has, and walks the tree of dependencies. This middleware finds
the route by its method and resource, follows its plan, and answers. What it does not know (the
documentation, forms, unknown paths, wrong methods) it leaves to FastAPI, and all of it as soon as
a test overrides a dependency.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dependencies.errors import last_resort, refusal
from dependencies.routing.json_route import JsonRoute


class FastLane:
    """The innermost middleware. All routes have been declared when the first request comes."""

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter]) -> None:
        self.app = app
        self.routes: dict[tuple[str, str], list[Route]] = defaultdict(list)
        for router in routers:
            for route in router.routes:
                if isinstance(route, Route):
                    for method in route.methods or ():
                        self.routes[method, _resource(route.path)].append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._route_of(scope)
        if route is None or route.plan is None:
            await self.app(scope, receive, send)
            return
        request = route.request_class(scope, receive)
        try:
            arguments = await route.plan.arguments(request)
            response = await route.endpoint(**arguments)
        except Exception as error:
            response = await _told(request, error)
        await response(scope, receive, send)

    def _route_of(self, scope: Scope) -> JsonRoute | None:
        """The first route that matches, as FastAPI would have it; None leaves it to FastAPI."""
        if scope["type"] != "http" or scope["root_path"] or scope["app"].dependency_overrides:
            return None
        path = scope["path"]
        for route in self.routes.get((scope["method"], _resource(path)), ()):
            if match := route.path_regex.match(path):
                if not isinstance(route, JsonRoute):
                    return None
                scope["path_params"] = _converted(route, match.groupdict())
                scope["endpoint"], scope["route"] = route.endpoint, route
                return route
        return None


async def _told(request: Request, error: Exception) -> Response:
    try:
        return await refusal(request, error)
    except Exception as fault:
        return last_resort(request.scope, fault)


def _converted(route: Route, found: dict[str, str]) -> dict[str, Any]:
    return {name: route.param_convertors[name].convert(text) for name, text in found.items()}


def _resource(path: str) -> str:
    """`posts` of `/api/posts/7/like`: no route has a parameter before or in it."""
    return path.split("/", 3)[2] if path.startswith("/api/") else path
