"""A password hash for the login of an unknown user."""

from functools import lru_cache

import bcrypt


@lru_cache
def dummy_hash(rounds: int) -> bytes:
    """The hash of no user's password: with it an unknown user name takes as long as a known one."""
    return bcrypt.hashpw(b"nobody has this password", bcrypt.gensalt(rounds))
