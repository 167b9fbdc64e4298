"""A route's dependencies, laid out in a row once, so that a request walks along them.

FastAPI keeps them as a tree and walks all of it for every request: it solves `get_current_user`
anew for each dependency that names it, and asks only then whether the answer is known already.
For the feed that was half of the time. The plan does the same things in the same order, each once.
It knows what the routes here use (parameters of one value, a JSON body); a route with anything
else (a form, say) has no plan and is FastAPI's own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from fastapi import HTTPException, Request, params
from fastapi._compat import ModelField, field_annotation_is_scalar
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_validation_alias, request_body_to_args
from fastapi.exceptions import RequestValidationError
from pydantic_core import PydanticUndefined as Undefined

Error = dict[str, Any]
FAILED = object()
# Where a parameter may come from, and how a request gives it.
SOURCES: dict[str, Callable[[Request], Mapping[str, Any]]] = {
    "path": lambda request: request.path_params,
    "query": lambda request: request.query_params if request.scope["query_string"] else {},
    "header": lambda request: request.headers,
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value out of the path, the query or the headers."""

    name: str
    alias: str
    source: str
    field: ModelField
    default: Any

    def read(self, request: Request, errors: list[Error]) -> Any:
        raw = SOURCES[self.source](request).get(self.alias)
        if raw is None and self.default is not Undefined:
            return self.default
        where = (self.source, self.alias)
        if raw is None:
            errors.append({"type": "missing", "loc": where, "msg": "Field required"})
            return None
        value, found = self.field.validate(raw, loc=where)
        errors.extend(found)
        return value


@dataclass(frozen=True, slots=True)
class Step:
    """A dependency, or at last the controller, and what it is called with."""

    call: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    # The names of arguments and the earlier steps whose results they are; a guard has no name.
    earlier: tuple[tuple[str | None, int], ...]
    request_name: str | None

    def arguments(self, request: Request, results: list[Any], errors: list[Error]) -> Any:
        """A dict, or FAILED when something of it could not be read."""
        readable = not errors or all(results[index] is not FAILED for _, index in self.earlier)
        found = {name: results[index] for name, index in self.earlier if name}
        if self.request_name:
            found[self.request_name] = request
        if self.parameters:
            before = len(errors)
            for parameter in self.parameters:
                found[parameter.name] = parameter.read(request, errors)
            readable = readable and len(errors) == before
        return found if readable else FAILED


class Plan:
    """The steps of one route; the last is the controller, and its `body` that of the request."""

    def __init__(self, steps: list[Step], body: list[ModelField], embed: bool) -> None:
        *self.dependencies, self.controller = steps
        self.body, self.embed = body, embed

    async def arguments(self, request: Request) -> dict[str, Any]:
        """What the controller is called with. Raises RequestValidationError, and what the
        dependencies raise."""
        content = await _content(request) if self.body else Undefined
        errors: list[Error] = []
        results: list[Any] = []
        for step in self.dependencies:
            arguments = step.arguments(request, results, errors)
            results.append(FAILED if arguments is FAILED else await step.call(**arguments))
        arguments = self.controller.arguments(request, results, errors)
        if self.body:
            values, found = await request_body_to_args(self.body, content, self.embed)
            errors += found
            if not errors:
                arguments |= values
        if errors:
            raise RequestValidationError(errors)
        return arguments


def plan_of(dependant: Dependant, embed: bool) -> Plan | None:
    """None for a route that needs what only FastAPI itself can do."""
    steps: list[Step] = []
    try:
        _lay_out(dependant, steps, {})
    except _Unplanned:
        return None
    if any(isinstance(field.field_info, params.Form) for field in dependant.body_params):
        return None
    return Plan(steps, dependant.body_params, embed)


class _Unplanned(Exception):
    pass


def _lay_out(dependant: Dependant, steps: list[Step], known: dict[Any, int]) -> int:
    """Append the steps below and at `dependant`, in FastAPI's order; the index of its own."""
    if dependant.call in known:
        return known[dependant.call]
    earlier = tuple((each.name, _lay_out(each, steps, known)) for each in dependant.dependencies)
    if (
        dependant.call is None
        or not dependant.use_cache
        or not _is_coroutine_function(dependant.call)
        or dependant.cookie_params
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
    ):
        raise _Unplanned
    fields = [
        *((field, "path") for field in dependant.path_params),
        *((field, "query") for field in dependant.query_params),
        *((field, "header") for field in dependant.header_params),
    ]
    parameters = tuple(_parameter(field, source) for field, source in fields)
    request_name = dependant.request_param_name or dependant.http_connection_param_name
    steps.append(Step(dependant.call, parameters, earlier, request_name))
    return known.setdefault(dependant.call, len(steps) - 1)


def _is_coroutine_function(call: Any) -> bool:
    return iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)


def _parameter(field: ModelField, source: str) -> Parameter:
    if not field_annotation_is_scalar(field.field_info.annotation):
        raise _Unplanned
    default = Undefined if field.field_info.is_required() else field.default
    return Parameter(field.name, get_validation_alias(field), source, field, default)


async def _content(request: Request) -> Any:
    """What the body says if it is JSON and says so, else its bytes; they are refused later."""
    raw = await request.body()
    if not raw:
        return Undefined
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind, _, subtype = media_type.partition("/")
    if kind != "application" or not (subtype == "json" or subtype.endswith("+json")):
        return raw
    try:
        return await request.json()
    except json.JSONDecodeError as error:
        fault = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error"}
        raise RequestValidationError([fault]) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise HTTPException(400, "There was an error parsing the body") from error
