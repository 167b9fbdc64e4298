"""Makes the plan of a route, once for each set of overrides.

A route with anything that is not understood here (forms, generators, security scopes, an injected
response) gets no plan and is FastAPI's own.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from inspect import (
    isasyncgenfunction,
    isclass,
    iscoroutinefunction,
    isgeneratorfunction,
    isroutine,
)
from operator import attrgetter
from typing import Any, cast

from fastapi import Request, params
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from dependencies.routing.fastapi_internals import (
    Dependant,
    field_annotation_is_scalar,
    get_dependant,
)
from dependencies.routing.plan import INVALID, AsyncFunction, Parameter, Plan, Step

Overrides = Mapping[Callable[..., Any], Callable[..., Any]]


class Planner:
    """Keeps the plan of a route for the overrides that are in force, as a rule none."""

    def __init__(self, route: APIRoute, answer: AsyncFunction) -> None:
        """`answer` takes the arguments of the controller, and is called in its place."""
        self._route, self._answer = route, answer
        self._overrides: Overrides | None = None
        self._plan: Plan | None = None

    def plan(self) -> Plan | None:
        """None for a route that only FastAPI can serve."""
        app = self._route.dependency_overrides_provider
        overrides: Overrides = app.dependency_overrides if app else {}
        if overrides != self._overrides:
            self._overrides = dict(overrides)
            self._plan = plan_of(self._route.dependant, self._answer, self._overrides)
        return self._plan


def plan_of(controller: Dependant, answer: AsyncFunction, overrides: Overrides) -> Plan | None:
    """None for a route that only FastAPI can serve."""
    steps: list[Step] = []
    try:
        _add_step(steps, controller, answer, overrides, {})
        return Plan(tuple(steps), _json_field(controller))
    except _NotPlannable:
        return None


class _NotPlannable(Exception):
    pass


def _add_step(
    steps: list[Step],
    dependant: Dependant,
    call: AsyncFunction,
    overrides: Overrides,
    known: dict[Any, int],
) -> None:
    """Adds the steps that `dependant` depends on, in FastAPI's order, and then its own."""
    _require_plannable(dependant)
    results: list[tuple[str, int]] = []
    for each in dependant.dependencies:
        _require_plannable(each)
        key = each.call, each.scope
        if key not in known:
            called = _overridden(each, overrides)
            if called.body_params:
                raise _NotPlannable
            _add_step(steps, called, _async_function(called.call), overrides, known)
            known[key] = len(steps) - 1
        if each.name is not None:
            results.append((each.name, known[key]))
    sources = (
        (attrgetter("path_params"), dependant.path_params),
        (attrgetter("query_params"), dependant.query_params),
        (attrgetter("headers"), dependant.header_params),
        (attrgetter("cookies"), dependant.cookie_params),
    )
    parameters = [_parameter(source, field) for source, fields in sources for field in fields]
    request_names = dependant.request_param_name, dependant.http_connection_param_name
    steps.append(Step(call, tuple(parameters), tuple(filter(None, request_names)), tuple(results)))


def _require_plannable(dependant: Dependant) -> None:
    if (
        not dependant.use_cache
        or dependant.own_oauth_scopes
        or dependant.security_scopes_param_name
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.websocket_param_name
        or dependant.concurrency
    ):
        raise _NotPlannable


def _overridden(dependant: Dependant, overrides: Overrides) -> Dependant:
    call, path = cast(Callable[..., Any], dependant.call), cast(str, dependant.path)
    if call not in overrides:
        return dependant
    return get_dependant(
        path=path, call=overrides[call], name=dependant.name, scope=dependant.scope
    )


def _parameter(source: Callable[[Request], Mapping[str, str]], field: Any) -> Parameter:
    """A parameter of one value, under one name."""
    info, default = field.field_info, field.default
    if (
        not field_annotation_is_scalar(info.annotation)
        or info.validation_alias not in (None, info.alias)
        or info.validate_default
        or info.default_factory
        or deepcopy(default) is not default
    ):
        raise _NotPlannable
    if info.is_required():
        default = INVALID
    return Parameter(field.name, source, field.alias, field, default)


def _async_function(call: Any) -> AsyncFunction:
    """A dependency as FastAPI calls it: in a thread, unless it is asynchronous."""
    function: Any = call if isroutine(call) or isclass(call) else type(call).__call__
    if (
        isinstance(call, partial)
        or hasattr(function, "__wrapped__")
        or isgeneratorfunction(function)
        or isasyncgenfunction(function)
    ):
        raise _NotPlannable
    is_async = iscoroutinefunction(function)
    return cast(AsyncFunction, call) if is_async else partial(run_in_threadpool, call)


def _json_field(controller: Dependant) -> Any:
    """The one field that is the whole body; None without a body."""
    if not controller.body_params:
        return None
    field, *others = controller.body_params
    if others or isinstance(field.field_info, params.Form) or getattr(field.field_info, "embed", 0):
        raise _NotPlannable
    return field
