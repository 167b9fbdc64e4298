"""What a route does for a request: the calls of its dependencies in a row, and the controller's.

FastAPI walks the tree of dependencies for every request, and meets `get_current_user` again in
each branch that names it. The plan has every call once, in FastAPI's order. It knows requests whose
parameters and JSON body are valid; every other request is left to FastAPI's own handler.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

AsyncFunction = Callable[..., Awaitable[Any]]
Arguments = dict[str, Any]
INVALID = object()
NOT_JSON = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value out of the path, the query, the headers or the cookies."""

    name: str
    source: Callable[[Request], Mapping[str, str]]
    alias: str
    # FastAPI's, which validates the value.
    field: Any
    # INVALID for a parameter that must be there.
    default: Any

    def read(self, request: Request) -> Any:
        raw = self.source(request).get(self.alias)
        if raw is None:
            return self.default
        value, errors = self.field.validate(raw)
        return INVALID if errors else value


@dataclass(frozen=True, slots=True)
class Step:
    """The call of a dependency, or at last of the controller."""

    call: AsyncFunction
    parameters: tuple[Parameter, ...]
    # Names of the arguments that get the request itself.
    request_names: tuple[str, ...]
    # Names of arguments, with the numbers of the earlier steps whose results they are.
    results: tuple[tuple[str, int], ...]

    def read(self, request: Request) -> Arguments | None:
        """The arguments that the request gives; None when one is missing or not valid."""
        arguments: Arguments = dict.fromkeys(self.request_names, request)
        for parameter in self.parameters:
            value = parameter.read(request)
            if value is INVALID:
                return None
            arguments[parameter.name] = value
        return arguments


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a route. The last is its controller, which alone may take a body; `body` is
    FastAPI's field for it, or None."""

    steps: tuple[Step, ...]
    body: Any

    async def read(self, request: Request) -> list[Arguments] | None:
        """What the request gives to each step; None when FastAPI's own handler has to answer."""
        arguments: list[Arguments] = []
        for step in self.steps:
            found = step.read(request)
            if found is None:
                return None
            arguments.append(found)
        if self.body is not None:
            content = await _json(request)
            if content is NOT_JSON:
                return None
            value, errors = self.body.validate(content)
            if errors:
                return None
            arguments[-1][self.body.name] = value
        return arguments

    async def run(self, arguments: list[Arguments]) -> Any:
        """Makes all calls, with what `read` gave; returns the result of the last one."""
        results: list[Any] = []
        for step, given in zip(self.steps, arguments, strict=True):
            for name, index in step.results:
                given[name] = results[index]
            results.append(await step.call(**given))
        return results[-1]


async def _json(request: Request) -> Any:
    """NOT_JSON for a body that cannot be parsed, does not say that it is JSON, or did not come."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        return NOT_JSON
    try:
        await request.body()
    except ClientDisconnect:
        return NOT_JSON
    try:
        return await request.json()
    except Exception:  # FastAPI parses it again, and knows what to say of it
        return NOT_JSON
