"""Signing and reading JSON Web Tokens. The only module that knows the JWT library.

Rules: RFC 8725. The algorithm is pinned, each claim below is required, the kind of token is
checked, and every error of the library, whatever its class, means that the token is not valid.
"""

import re
from functools import lru_cache
from time import time
from typing import Any, Literal
from uuid import uuid4

from jose import jwk
from jose import jwt as jose_jwt
from typing_extensions import TypedDict

TokenType = Literal["access", "refresh"]
ALGORITHM = "HS256"
MAX_TOKEN_CHARACTERS = 4096
COMPACT_FORM = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
USER_ID = re.compile(r"[0-9]{1,18}")
SESSION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Claims(TypedDict):
    """`sub` is the user's id as text, `sid` the session's, times are seconds since 1970."""

    sub: str
    exp: int
    iat: int
    jti: str
    type: TokenType
    sid: str


class InvalidToken(Exception):
    """Not signed by us, not of the expected kind, or expired."""


@lru_cache(maxsize=8)
def _key(secret: str) -> Any:
    # As bytes, because the library takes text that looks like JSON for a set of keys. Made once.
    return jwk.construct(secret.encode(), ALGORITHM)


def sign(user_id: int, session_id: str, kind: TokenType, secret: str, lifetime_seconds: int) -> str:
    """A token of `kind` that expires after `lifetime_seconds`."""
    now = int(time())
    claims: Claims = {
        "sub": str(user_id),
        "exp": now + lifetime_seconds,
        "iat": now,
        "jti": uuid4().hex,
        "type": kind,
        "sid": session_id,
    }
    return jose_jwt.encode(dict(claims), _key(secret), ALGORITHM)


def read(token: str, kind: TokenType, secret: str) -> Claims:
    """The claims of a token that we signed, of this kind and not expired. Raises InvalidToken."""
    # The library ignores characters that are not base64; a token that has any is not ours.
    if len(token) > MAX_TOKEN_CHARACTERS or not COMPACT_FORM.fullmatch(token):
        raise InvalidToken("too long, or not a token")
    claims = _verified(token, kind, secret)
    if claims["exp"] <= time():
        raise InvalidToken("expired")
    return claims.copy()


@lru_cache(maxsize=4096)
def _verified(token: str, kind: TokenType, secret: str) -> Claims:
    """Checks all but the expiry. Cached, because a client sends the same token again and again."""
    try:
        claims: dict[str, Any] = jose_jwt.decode(
            token, _key(secret), [ALGORITHM], options={"verify_exp": False, "verify_aud": False}
        )
        header = jose_jwt.get_unverified_header(token)
    except Exception as error:  # JWTError, and on hostile input RecursionError, OverflowError, ...
        raise InvalidToken("unreadable") from error
    if "crit" in header or not _complete(claims) or claims["type"] != kind:
        raise InvalidToken("wrong claims")
    return Claims(**{name: claims[name] for name in Claims.__annotations__})


def _complete(claims: dict[str, Any]) -> bool:
    texts = ("sub", "jti", "type", "sid")
    return (
        all(isinstance(claims.get(name), str) for name in texts)
        and all(type(claims.get(name)) is int for name in ("exp", "iat"))
        and USER_ID.fullmatch(claims["sub"]) is not None
        and SESSION_ID.fullmatch(claims["sid"]) is not None
    )
