"""Every operation of the API, as its route and /openapi.json have it.

The tests of all endpoints start here, so a new endpoint is tested without a line in any of them.
"""

import re
from typing import Any, NamedTuple

from fastapi.routing import APIRoute

from app import app
from dependencies.auth import OwnOrPermission, Permission, require_member
from routes import ROUTERS

DOCUMENT: dict[str, Any] = app.openapi()


class Operation(NamedTuple):
    id: str
    method: str
    path: str
    document: dict[str, Any]
    route: APIRoute

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def in_path(self) -> list[str]:
        """The names of the values in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def guard(self) -> Any:
        """None where nobody is asked who they are."""
        return next(iter(guards_of(self.route)), None)

    @property
    def permission(self) -> str | None:
        """The one that the guard asks for, of everybody or of all but the owner."""
        return getattr(getattr(self.guard, "permission", self.guard), "name", None)

    @property
    def examples(self) -> list[tuple[str, Any]]:
        """Of the body: media type and value of each; empty without a body."""
        content = self.document.get("requestBody", {}).get("content", {})
        return [
            (kind, value)
            for kind, media in content.items()
            for value in (
                [each["value"] for each in media["examples"].values()]
                if "examples" in media
                else [media["example"]]
            )
        ]

    @property
    def body_schema(self) -> dict[str, Any] | None:
        """Of a JSON body."""
        content = self.document.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        schema = content["application/json"]["schema"]
        [schema] = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
        name = schema.get("$ref", "").rpartition("/")[2]
        return DOCUMENT["components"]["schemas"][name] if name else schema

    def parameters(self, place: str) -> dict[str, dict[str, Any]]:
        """By name: those in the `path` or in the `query`."""
        return {
            each["name"]: each
            for each in self.document.get("parameters", ())
            if each["in"] == place
        }


def guards_of(route: APIRoute) -> list[Any]:
    """What a route asks of its caller; empty: nothing."""
    return [
        each.dependency
        for each in route.dependencies
        if isinstance(each.dependency, Permission | OwnOrPermission)
        or each.dependency is require_member
    ]


# By method and path; those that are not in the document, too.
ROUTES = {
    f"{method} {route.path_format}": route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
}
BY_NAME = {
    f"{method.upper()} {path}": Operation(
        document["operationId"], method.upper(), path, document, ROUTES[f"{method.upper()} {path}"]
    )
    for path, methods in DOCUMENT["paths"].items()
    for method, document in methods.items()
}
OPERATIONS = {operation.id: operation for operation in BY_NAME.values()}
