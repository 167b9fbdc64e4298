"""The token service: short-lived opaque tokens, without an account."""

import hmac
import secrets
from base64 import urlsafe_b64encode

from repositories import token_repository


def new_token() -> str:
    """Six digits, which people can read out, a colon, and 32 random characters."""
    return f"{secrets.randbelow(1_000_000):06}:{secrets.token_urlsafe(24)}"


def token_from(secret: str, nonce: bytes, *parts: str) -> str:
    """A token of the same form, which whoever knows the secret can make again from the nonce and
    from what the token is for."""
    message = b"\0".join([nonce, *(part.encode() for part in parts)])
    digest = hmac.digest(secret.encode(), message, "sha256")
    random_part = urlsafe_b64encode(digest[8:]).decode()
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06}:{random_part}"


def issue(ttl_minutes: int) -> str:
    """A token that is valid for so many minutes. Only its hash is stored."""
    token = new_token()
    token_repository.add_token(token, ttl_minutes)
    return token


def is_valid(token: str) -> bool:
    """False for a token that was not issued here or has expired."""
    return token_repository.check_token(token)


def clear_expired() -> None:
    token_repository.delete_expired_tokens()
