"""How a controller is called, and how its result becomes an answer.

FastAPI would validate each answer against its model, in the thread of the event loop. Here the
answer, plain data of listed columns, is written as JSON in the thread that produced it. The models
in the route tables are the documentation: nothing is filtered by them, and the tests compare every
answer with its model.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial, wraps
from inspect import (
    isasyncgenfunction,
    iscoroutinefunction,
    isgeneratorfunction,
    isroutine,
    unwrap,
)
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import to_json

from dependencies.routing.fastapi_internals import DefaultPlaceholder, effective_route
from dependencies.routing.planner import Planner
from dependencies.routing.threads import in_hashing_thread, in_worker_thread
from utils.errors import TablesChanged

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
WITHOUT_BODY = {204, 205, 304}


class Utf8Request(Request):
    """JSON is UTF-8 (RFC 8259, section 8.1); Python would read UTF-16 and UTF-32 as well."""

    async def json(self) -> Any:
        return json.loads((await self.body()).decode("utf-8-sig"))


class JsonRoute(APIRoute):
    """A route whose controller is a plain function that returns plain data (dicts, lists, dates,
    decimals, nothing) or a Response. With any other controller it is FastAPI's own route."""

    request_class: type[Request] = Utf8Request
    run_in_thread: Callable[..., Awaitable[Any]] = staticmethod(in_worker_thread)

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.controller: Callable[..., Any] | None = None
        if _is_plain_function(endpoint):
            self.controller = _repeated_after_migration(endpoint)
            endpoint = self._in_thread(self.controller)
        super().__init__(path, endpoint, **options)

    def _in_thread(self, controller: Callable[..., Any]) -> Callable[..., Any]:
        """What FastAPI knows as the endpoint, and calls itself when there is no plan."""

        @wraps(controller)
        async def call_in_thread(**arguments: Any) -> Any:
            return await self.run_in_thread(partial(controller, **arguments))

        return call_in_thread

    def get_route_handler(self) -> Handler:
        """FastAPI's own, with the plan before it. FastAPI asks for it once for the route itself,
        and again wherever its router is included."""
        handle_by_fastapi = super().get_route_handler()
        controller, route = self.controller, effective_route(self)
        if controller is None:
            return handle_by_fastapi

        def answer(arguments: dict[str, Any]) -> Response:
            return _response(controller(**arguments), route)

        async def answer_in_thread(**arguments: Any) -> Response:
            return await self.run_in_thread(answer, arguments)

        planner = Planner(route, answer_in_thread)

        async def handle(request: Request) -> Response:
            request = self.request_class(request.scope, request.receive)
            plan = planner.plan()
            arguments = await plan.read(request) if plan else None
            if plan is None or arguments is None:
                return await handle_by_fastapi(request)
            return await plan.run(arguments)

        return handle


class HashingRoute(JsonRoute):
    """The same for a controller that hashes a password."""

    run_in_thread = staticmethod(in_hashing_thread)


def _is_plain_function(endpoint: Callable[..., Any]) -> bool:
    return all(
        isroutine(function)
        and not iscoroutinefunction(function)
        and not isgeneratorfunction(function)
        and not isasyncgenfunction(function)
        for function in (endpoint, unwrap(endpoint))
    )


def _repeated_after_migration(controller: Callable[..., Any]) -> Callable[..., Any]:
    """A controller whose transaction did nothing because a migration changed a table is called
    once more: a migration need not cost a request."""

    @wraps(controller)
    def call(**arguments: Any) -> Any:
        try:
            return controller(**arguments)
        except TablesChanged:
            return controller(**arguments)

    return call


def _response(result: Any, route: APIRoute) -> Response:
    """The result with the status and in the class that the route declares, as a rule JSON."""
    if isinstance(result, Response):
        return result
    status: dict[str, Any] = {"status_code": route.status_code} if route.status_code else {}
    if route.status_code in WITHOUT_BODY:
        return Response(**status)
    if not isinstance(route.response_class, DefaultPlaceholder):
        return route.response_class(result, **status)
    return Response(to_json(result), media_type="application/json", **status)
