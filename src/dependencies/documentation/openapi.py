"""Completes /openapi.json: who may call an operation, how often, and what its answers look like.

Access, limits and the errors that follow from them are read from the guards of the route, of its
router, of `include_router` and of the app: the document says what the server enforces.
"""

from functools import lru_cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from dependencies.auth import OwnOrPermission, Permission, require_member
from dependencies.documentation.answers import (
    GENERAL_ERRORS,
    add_refusals,
    error_schemas,
    header,
)
from dependencies.documentation.examples import add_examples
from dependencies.rate_limit import AddressLimit, CallerLimit, LoginLimit
from dependencies.routing.fastapi_internals import iter_route_contexts
from dependencies.routing.tagged_json import TaggedJson
from services import rate_limit_service
from utils.errors import error_body

Json = dict[str, Any]

LINK = header(
    "The next page; missing on the last page",
    '</api/posts?limit=10&cursor=AAAAAAAAAAE>; rel="next"',
)
ETAG = header("Names this version, for `If-None-Match` and `If-Match`", '"0f3a9c51d27be864"')
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of the copy that you have: 304 if it is still right.",
    "schema": {"type": "string"},
}


def install_openapi(app: FastAPI) -> None:
    """Completes what `app.openapi()` makes, when it is asked for first."""
    make = app.openapi

    @lru_cache
    def openapi() -> Json:
        document = make()
        routes = {
            (route.path_format, method.lower()): route
            for route in iter_route_contexts(app.routes)
            for method in route.methods or ()
        }
        schemas = document["components"]["schemas"] | error_schemas()
        document["components"]["schemas"] = schemas
        for schema in schemas.values():
            if "example" in schema:  # FastAPI drops what is null in it
                schema["example"] = dict.fromkeys(schema["required"]) | schema["example"]
        document["paths"] = _in_order_of_tags(document)
        for scheme in document["components"].get("securitySchemes", {}).values():
            for flow in scheme.get("flows", {}).values():
                flow["tokenUrl"] = app.root_path + flow["tokenUrl"]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                _describe(operation, routes[path, method])
                add_examples(operation, schemas)
                add_refusals(operation)
        return document

    app.openapi = openapi


def _in_order_of_tags(document: Json) -> Json:
    names = [tag["name"] for tag in document.get("tags", ())]

    def chapter(path: str) -> int:
        tags = next(iter(document["paths"][path].values())).get("tags", ())
        return names.index(tags[0]) if tags and tags[0] in names else len(names)

    return {path: document["paths"][path] for path in sorted(document["paths"], key=chapter)}


def _describe(operation: Json, route: Any) -> None:
    """`route`: FastAPI's route with everything that it inherits from where it is included."""
    guards = [each.dependency for each in route.dependencies]
    access = list(filter(None, map(_access, guards))) or [("anyone, without a token", None)]
    who = "; of these, ".join(words for words, _ in access)
    permission = next((name for _, name in access if name), None)
    limits = [words for guard in guards for words in _limits(guard)]
    how_often = "; ".join(limits) or "no limit"
    operation["description"] += f"\n\n**Who:** {who}.\n\n**How often:** {how_often}."
    in_table = {
        str(status)
        for status, answer in route.responses.items()
        if answer is not GENERAL_ERRORS.get(status)
    }
    possible = {
        "401": "security" in operation,
        "403": permission is not None,
        "413": "requestBody" in operation,
        "429": bool(limits),
    }
    for status in possible.keys() - in_table:
        if not possible[status]:
            operation["responses"].pop(status, None)
    if "403" in operation["responses"].keys() - in_table:
        example = error_body(f"This needs the permission {permission}")
        operation["responses"]["403"]["content"]["application/json"]["example"] = example
    _complete_success(operation, route)


def _complete_success(operation: Json, route: Any) -> None:
    """A list has its header `Link`, a version its `ETag`; a success is called as HTTP calls it."""
    answers = operation["responses"]
    if route.response_class is TaggedJson:
        answers[str(route.status_code or 200)]["headers"] = {"ETag": ETAG}
        if "GET" in route.methods:
            operation["parameters"].append(IF_NONE_MATCH)
            answers["304"] = {"description": "You have it already", "headers": {"ETag": ETAG}}
    if any(parameter["name"] == "limit" for parameter in operation.get("parameters", ())):
        answers["200"]["headers"] = {"Link": LINK}
    for status, answer in answers.items():
        if answer["description"] == "Successful Response":
            answer["description"] = HTTPStatus(int(status)).phrase


def _access(guard: Any) -> tuple[str, str | None] | None:
    """Who passes a guard, and the permission that it checks; None if it guards no access."""
    match guard:
        case Permission(name=name):
            return f"callers with the permission `{name}`", name
        case OwnOrPermission(permission=Permission(name=name)):
            return f"you, for yourself; for others, callers with the permission `{name}`", name
        case _:
            return ("every member", None) if guard is require_member else None


def _limits(guard: Any) -> list[str]:
    """What a guard counts, and how much of it the settings allow."""
    match guard:
        case LoginLimit():
            counted = {"login": "each user name and address", "login_address": "each address"}
        case AddressLimit(name=name):
            counted = {name: "each address"}
        case CallerLimit(name=name):
            counted = {name: "each member, or each address without a token"}
        case _:
            counted = {}
    return [_limit(name, counted_for) for name, counted_for in counted.items()]


def _limit(name: str, counted_for: str) -> str:
    rate, setting = rate_limit_service.rate_of(name), f"`RATE_LIMIT_{name.upper()}`"
    if rate is None:
        return f"no limit ({setting} is off)"
    return f"{rate.replace('/', ' per ')} for {counted_for} ({setting})"
