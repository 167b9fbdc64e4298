"""The token service: short-lived opaque tokens for whoever asks."""

import secrets

from repositories import token_repository


def new_token() -> str:
    """Six digits to read out, a colon, and 32 characters that nobody guesses."""
    return f"{secrets.randbelow(1_000_000):06}:{secrets.token_urlsafe(24)}"


def issue(minutes: int) -> str:
    """A token that is good for so long. Only its hash is stored."""
    token = new_token()
    token_repository.add_token(token, minutes)
    return token


def is_valid(token: str) -> bool:
    """False for anything that was not issued here, or has expired."""
    return token_repository.check_token(token)


def clear_expired() -> None:
    token_repository.delete_expired_tokens()
