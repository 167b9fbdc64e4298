"""Rate limits as guards. A route names its limit, such as `limit("login")`; a setting is its rate.

Answers of limited routes have the headers of the IETF draft "RateLimit header fields for HTTP".
A client over the limit gets 429 and `Retry-After`.
"""

from collections.abc import Mapping
from typing import Any, cast

from fastapi import Depends, Request

from config import metrics
from dependencies.auth import AnyCaller
from dependencies.client_address import client_address
from dependencies.middleware.request_context import add_header
from dependencies.routing.threads import in_worker_thread
from services import rate_limit_service
from services.access_rules import GUEST_ID
from utils.digest import sha256_of
from utils.errors import RateLimited

# These are counted for each address: their callers have no token yet, or an expired one.
BY_ADDRESS = {"register", "refresh", "token"}


class CallerLimit:
    """Counts for each member, and for each address without a token."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, request: Request, caller: AnyCaller) -> None:
        if rate_limit_service.rate_of(self.name) is not None:
            is_guest = caller["sub"] == GUEST_ID
            client_key = client_address(request) if is_guest else f"user {caller['sub']}"
            await _count(request, self.name, client_key)


class AddressLimit:
    """Counts for each address."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, request: Request) -> None:
        await _count(request, self.name, client_address(request))


class LoginLimit:
    """Counts for each address, and with a lower limit for each user name from one address."""

    def __init__(self, field: str) -> None:
        """`field`: what the body calls the user name."""
        self.field = field

    async def __call__(self, request: Request) -> None:
        address = client_address(request)
        if address is not None:
            await _count(request, "login_address", address)
            digest = await _digest_of_name(request, self.field)
            await _count(request, "login", f"{address} {digest}")


async def _digest_of_name(request: Request, field: str) -> str:
    """Of the user name in the body. The body is read again from Starlette's copy; if it is not
    valid, FastAPI refuses it after this."""
    try:
        body: Any = await (request.json() if field == "user_name" else request.form())
    except ValueError:
        body = None
    name = cast(Any, body).get(field) if isinstance(body, Mapping) else None
    return sha256_of(str(name)).hex()


async def _count(request: Request, name: str, client_key: str | None) -> None:
    """Raises RateLimited."""
    rate = rate_limit_service.rate_of(name)
    if rate is None or client_key is None:
        return
    if rate_limit_service.uses_redis():  # the event loop must not wait for the network
        outcome = await in_worker_thread(rate_limit_service.hit, rate, name, client_key)
    else:
        outcome = rate_limit_service.hit(rate, name, client_key)
    policy = f'"{name}";q={outcome.quota};w={outcome.window_seconds}'
    state = f'"{name}";r={outcome.remaining};t={outcome.reset_seconds}'
    add_header(request.scope, "ratelimit-policy", policy)
    add_header(request.scope, "ratelimit", state)
    if not outcome.allowed:
        metrics.rate_limited(name)
        add_header(request.scope, "retry-after", str(outcome.reset_seconds))
        raise RateLimited("Too many requests, please try again later")


def limit(name: str) -> Any:
    """For `dependencies=` of a route: the limit RATE_LIMIT_<NAME>."""
    if name == "login":
        return Depends(LoginLimit("user_name"))
    return Depends(AddressLimit(name) if name in BY_ADDRESS else CallerLimit(name))


def login_form_limit() -> Any:
    """The same as `limit("login")` for OAuth2's form, where the field is called `username`."""
    return Depends(LoginLimit("username"))
