"""What bcrypt needs around it. The services call `bcrypt` themselves, as the course has it."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from threading import BoundedSemaphore

import bcrypt

from utils.context import seconds_left
from utils.errors import Unavailable

# Hashing takes a core for a quarter of a second and more. Two at a time keep a flood of logins
# from taking the worker threads, and the processors, from everybody else.
_slots = BoundedSemaphore(2)


@contextmanager
def hashing_slot() -> Generator[None]:
    """Wait for a place among those who hash; Unavailable when it would take too long."""
    if not _slots.acquire(timeout=seconds_left(default=30.0)):
        raise Unavailable("Too many logins at once, please try again shortly")
    try:
        yield
    finally:
        _slots.release()


@lru_cache
def decoy_hash(rounds: int) -> bytes:
    """A real hash that belongs to nobody, so that an unknown name costs as much as a known one."""
    return bcrypt.hashpw(b"nobody has this password", bcrypt.gensalt(rounds))


def fits_bcrypt(password: bytes) -> bool:
    """bcrypt reads 72 bytes and no more; a longer password cannot be anybody's."""
    return len(password) <= 72
