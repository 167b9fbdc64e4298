"""What bcrypt needs around it. The services call `bcrypt` themselves, as the course has it."""

from functools import lru_cache

import bcrypt

MAX_BYTES = 72


def fits_bcrypt(password: bytes) -> bool:
    """bcrypt reads 72 bytes and no more; a longer password cannot be anybody's."""
    return len(password) <= MAX_BYTES


@lru_cache
def decoy_hash(rounds: int) -> bytes:
    """A real hash that belongs to nobody, so that an unknown name costs as much as a known one."""
    return bcrypt.hashpw(b"nobody has this password", bcrypt.gensalt(rounds))
