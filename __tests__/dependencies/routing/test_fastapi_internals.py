"""A canary: what FastAPI's documentation does not promise is still what it was."""

from dataclasses import fields
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from dependencies.routing.fastapi_internals import (
    DefaultPlaceholder,
    Dependant,
    effective_route,
    field_annotation_is_scalar,
    get_dependant,
    iter_route_contexts,
)

READ_IN = "0.165.0"
# `planner.py` looks at each of them, or knows that it need not.
FIELDS_OF_A_DEPENDANT = {
    *("path_params", "query_params", "header_params", "cookie_params", "body_params"),
    *("dependencies", "name", "call", "path", "scope", "use_cache", "concurrency"),
    *("request_param_name", "websocket_param_name", "http_connection_param_name"),
    *("response_param_name", "background_tasks_param_name", "security_scopes_param_name"),
    *("own_oauth_scopes", "parent_oauth_scopes"),
}


def test_the_version_that_they_were_read_in():
    assert version("fastapi") == READ_IN, (
        f"dependencies/routing/ was written for FastAPI {READ_IN}. Read APIRoute.get_route_handler "
        "and dependencies.utils.solve_dependencies in the new version, run this file and "
        "__tests__/routes/test_plans.py, then write its number here."
    )


def test_a_dependant_has_the_fields_that_the_planner_knows():
    found = {field.name for field in fields(Dependant)}
    changed = found ^ FIELDS_OF_A_DEPENDANT
    assert not changed, f"FastAPI's Dependant has changed: {changed}. planner.py must know"


def test_a_handler_is_made_where_the_route_is_included():
    seen = []

    class Watched(APIRoute):
        def get_route_handler(self):
            seen.append(effective_route(self))
            return super().get_route_handler()

    async def guard():
        pass

    router = APIRouter(route_class=Watched)
    router.get("/thing", status_code=202)(lambda: None)
    app = FastAPI(dependencies=[Depends(guard)])
    app.include_router(router, prefix="/api", dependencies=[Depends(lambda: None)])
    assert TestClient(app).get("/api/thing").status_code == 202

    first, *_, included = seen
    assert first is router.routes[0]
    assert included.path == "/api/thing", "FastAPI has another name for a route as it is included"
    calls = [each.call for each in included.dependant.dependencies]
    assert (len(calls), calls[0]) == (2, guard)
    assert included.dependency_overrides_provider is app
    assert included.status_code == 202
    assert isinstance(included.response_class, DefaultPlaceholder), "as long as none is declared"
    assert [each.path_regex.pattern for each in iter_route_contexts(app.routes)][-1] == (
        "^/api/thing$"
    )


def test_a_function_becomes_a_dependant_whose_fields_validate():
    def function(limit: int, names: Annotated[list[str] | None, "many"] = None):
        pass

    dependant = get_dependant(path="/", call=function, name="page", scope=None)
    [limit] = dependant.query_params
    assert (dependant.call, dependant.name) == (function, "page")
    assert (limit.name, limit.alias, limit.field_info.is_required()) == ("limit", "limit", True)
    assert limit.validate("7") == (7, [])
    assert limit.validate("x")[1][0]["type"] == "int_parsing"
    assert field_annotation_is_scalar(limit.field_info.annotation)
    assert not field_annotation_is_scalar(list[str] | None)
    [names] = dependant.body_params
    assert names.default is None
