"""The token service: short-lived opaque tokens, without an account."""

import secrets

from repositories import token_repository


def new_token() -> str:
    """Six digits, which people can read out, a colon, and 32 random characters."""
    return f"{secrets.randbelow(1_000_000):06}:{secrets.token_urlsafe(24)}"


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
