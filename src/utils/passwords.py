"""What bcrypt itself does not do. The services call `bcrypt` directly, as the course does."""

from functools import lru_cache

import bcrypt

MAX_PASSWORD_BYTES = 72


def fits_bcrypt(password: bytes) -> bool:
    """bcrypt takes 72 bytes at most, so no user can have a longer password."""
    return len(password) <= MAX_PASSWORD_BYTES


@lru_cache
def decoy_hash(rounds: int) -> bytes:
    """The hash of no user's password: with it an unknown user name takes as long as a known one."""
    return bcrypt.hashpw(b"nobody has this password", bcrypt.gensalt(rounds))
