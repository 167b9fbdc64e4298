"""What /openapi.json says beyond what FastAPI finds: who may call, how often, which headers come.

Access and limits are read off the guards in the route tables, so the documentation cannot say
anything but what is done.
"""

from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from dependencies.auth import OwnOrPermission, Permission, require_member
from dependencies.documentation.answers import EXAMPLES, error_body, header
from dependencies.documentation.examples import add_examples
from dependencies.rate_limit import AddressLimit, CallerLimit, LoginLimit
from dto.access_dto import GUEST_DEFAULTS, MEMBER_DEFAULTS
from services import rate_limit_service

Json = dict[str, Any]

# In the order of a first visit, which is how Swagger UI shows them.
TAGS = [
    {"name": "auth", "description": "Start here: make an account, log in, renew the tokens."},
    {"name": "posts", "description": "The talk: write, answer, read, like, view and search."},
    {"name": "products", "description": "What the shop sells. Looking needs no account."},
    {"name": "orders", "description": "Order products, follow the order, cancel it."},
    {"name": "users", "description": "Your account, and the other people."},
    {"name": "roles", "description": "Who may do what, and who changed it. For administrators."},
    {"name": "tokens", "description": "Short-lived tokens for links and one-time codes."},
    {"name": "sessions", "description": "Where you are logged in. Log out, here or everywhere."},
    {"name": "recovery", "description": "For a forgotten password, or a new e-mail address."},
    {"name": "system", "description": "Is everything up? For operators."},
]
LINK = header(
    "Where the next page is, unless this is the last",
    '</api/posts?limit=10&cursor=AAAAAAAAAAE>; rel="next"',
)


def install_openapi(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Completes what `app.openapi()` makes. `routers` are all that the app includes."""
    make = app.openapi
    routes = {
        (method.lower(), route.path_format): route
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }

    @lru_cache
    def openapi() -> Json:
        document = make()
        schemas = document["components"]["schemas"]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                guards = [each.dependency for each in routes[method, path].dependencies]
                _describe(operation, guards)
                add_examples(operation, schemas)
        return document

    app.openapi = openapi


class Access(NamedTuple):
    """Who gets in, in words; the least built-in role that does when GopherTalk is new; and the
    permission that others lack."""

    words: str
    role: str
    permission: str = ""


EVERYBODY = Access("everybody, without a token.", "guest")


def _describe(operation: Json, guards: Sequence[Any]) -> None:
    access = next(filter(None, map(_access, guards)), EVERYBODY)
    limits = [words for guard in guards for words in _limits(guard)] or ["as you like"]
    operation["description"] += (
        f"\n\n**Who:** {access.words}\n\n**How often:** {'; '.join(limits)}."
    )
    operation["x-role"] = access.role
    is_list = any(parameter["name"] == "limit" for parameter in operation.get("parameters", ()))
    for status, answer in operation["responses"].items():
        if status == "200" and is_list:
            answer["headers"] = {"Link": LINK}
        if answer["description"] == "Successful Response":
            answer["description"] = HTTPStatus(int(status)).phrase
        content = answer.get("content", {}).get("application/json", {})
        # A 403 without words of its own names the permission.
        if content.get("example") == error_body(EXAMPLES[403][1]) and access.permission:
            content["example"] = error_body(f"This needs the permission {access.permission}")


def _access(guard: Any) -> Access | None:
    """Whom a guard lets through; None if it guards no access."""
    match guard:
        case Permission(name=name):
            role, holders = _first_holders(name)
            return Access(f"who has the permission `{name}`; at first {holders}.", role, name)
        case OwnOrPermission(permission=Permission(name=name)):
            holders = _first_holders(name)[1]
            words = f"you for yourself; else who has `{name}`, at first {holders}."
            return Access(words, "user", name)
        case _:
            return Access("every member.", "user") if guard is require_member else None


def _first_holders(permission: str) -> tuple[str, str]:
    if permission in GUEST_DEFAULTS:
        return "guest", "everybody, without a token too"
    if permission in MEMBER_DEFAULTS:
        return "user", "every member"
    return "admin", "administrators alone"


def _limits(guard: Any) -> list[str]:
    """What a guard counts, and how much of it the settings allow."""
    match guard:
        case LoginLimit():
            counted = [("login", "a user name from one address"), ("login_address", "an address")]
        case AddressLimit(name=name):
            counted = [(name, "an address")]
        case CallerLimit(name=name):
            counted = [(name, "a member, or an address without a token")]
        case _:
            counted = []
    return [_limit(name, whose) for name, whose in counted]


def _limit(name: str, whose: str) -> str:
    rate, setting = rate_limit_service.rate_of(name), f"`RATE_LIMIT_{name.upper()}`"
    if rate is None:
        return f"as you like, for {setting} is off"
    return f"{rate.replace('/', ' per ')} for {whose} ({setting})"
