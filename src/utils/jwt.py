"""Signing and reading JSON Web Tokens. The only module that knows the JWT library.

Rules: RFC 8725. The algorithm is pinned, every claim below is required, the kind of token is
checked, and whatever the library raises on hostile input means the same: not valid.
"""

from functools import lru_cache
from time import time
from typing import Any, Literal
from uuid import uuid4

from jose import jwk
from jose import jwt as jose_jwt
from typing_extensions import TypedDict

TokenType = Literal["access", "refresh"]
ALGORITHM = "HS256"
MAX_TOKEN_LENGTH = 4096


class Claims(TypedDict):
    """`sub` is the user's id as text, `sid` the session's, times are seconds since 1970."""

    sub: str
    exp: int
    iat: int
    jti: str
    type: TokenType
    sid: str


class InvalidToken(Exception):
    """Not a token of ours, not of the wanted kind, or no longer good."""


@lru_cache(maxsize=8)
def _key(secret: str) -> Any:
    # As bytes, and made once: the library would take a secret that looks like JSON for a key set.
    return jwk.construct(secret.encode(), ALGORITHM)


def sign(user_id: int, session_id: str, kind: TokenType, secret: str, lifetime: int) -> str:
    """A token of `kind` that is good for `lifetime` seconds from now."""
    now = int(time())
    claims: Claims = {
        "sub": str(user_id),
        "exp": now + lifetime,
        "iat": now,
        "jti": uuid4().hex,
        "type": kind,
        "sid": session_id,
    }
    return jose_jwt.encode(dict(claims), _key(secret), ALGORITHM)


def read(token: str, kind: TokenType, secret: str) -> Claims:
    """The claims of a token that is ours, of this kind and not expired; else InvalidToken."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise InvalidToken("too long")
    claims = _verified(token, kind, secret)
    if claims["exp"] <= time():
        raise InvalidToken("expired")
    return claims.copy()


@lru_cache(maxsize=4096)
def _verified(token: str, kind: TokenType, secret: str) -> Claims:
    """Signature and claims without the clock; remembered, for a client sends one token often."""
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
        and claims["sub"].isascii()
        and claims["sub"].isdigit()
        and len(claims["sub"]) <= 19
    )
