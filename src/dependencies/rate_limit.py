"""How often? The routes name their limit, e.g. `limit("login")`; the settings say how much it is.

A limited route tells its clients where they stand, in the headers of the IETF draft "RateLimit
header fields for HTTP"; who has used up a limit gets 429 and `Retry-After`.
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

# Counted for each address, because who calls has no token yet, or may have an old one.
BY_ADDRESS = {"register", "refresh", "token"}


class CallerLimit:
    """So much for each member; for those without a token, for each address."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, request: Request, caller: AnyCaller) -> None:
        if rate_limit_service.rate_of(self.name) is not None:
            who = client_address(request) if caller["sub"] == GUEST_ID else f"user {caller['sub']}"
            await _count(request, self.name, who)


class AddressLimit:
    """So much for each address."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, request: Request) -> None:
        await _count(request, self.name, client_address(request))


class LoginLimit:
    """So much for each address, and less for each user name that an address tries."""

    def __init__(self, field: str) -> None:
        """`field`: what the body calls the user name."""
        self.field = field

    async def __call__(self, request: Request) -> None:
        address = client_address(request)
        if address is not None:
            await _count(request, "login_address", address)
            await _count(
                request, "login", f"{address} {await _digest_of_name(request, self.field)}"
            )


async def _digest_of_name(request: Request, field: str) -> str:
    """Whom somebody tries to log in as. FastAPI has read the body already, which Starlette keeps,
    and will say what is wrong with it."""
    try:
        body: Any = await (request.json() if field == "user_name" else request.form())
    except ValueError:
        body = None
    name = cast(Any, body).get(field) if isinstance(body, Mapping) else None
    return sha256_of(str(name)).hex()


async def _count(request: Request, name: str, who: str | None) -> None:
    """Raises RateLimited."""
    rate = rate_limit_service.rate_of(name)
    if rate is None or who is None:
        return
    if rate_limit_service.asks_redis():  # and may have to wait, which the event loop must not
        verdict = await in_worker_thread(rate_limit_service.hit, rate, name, who)
    else:
        verdict = rate_limit_service.hit(rate, name, who)
    add_header(request.scope, "ratelimit-policy", f'"{name}";q={verdict.quota};w={verdict.window}')
    add_header(request.scope, "ratelimit", f'"{name}";r={verdict.remaining};t={verdict.reset}')
    if not verdict.allowed:
        metrics.rate_limited(name)
        add_header(request.scope, "retry-after", str(verdict.reset))
        raise RateLimited("Too many requests, please try again later")


def limit(name: str) -> Any:
    """For `dependencies=` of a route: the limit that RATE_LIMIT_<NAME> sets."""
    if name == "login":
        return Depends(LoginLimit("user_name"))
    return Depends(AddressLimit(name) if name in BY_ADDRESS else CallerLimit(name))


def login_form_limit() -> Any:
    """The same as `limit("login")`, for OAuth2's form, which calls the user name otherwise."""
    return Depends(LoginLimit("username"))
