"""Users: reading, changing and deleting them."""

import bcrypt

from config.settings import get_settings
from dto.user_dto import User, UserChanges, UserProfile
from repositories import session_repository
from repositories.user_repository import (
    delete_user,
    get_all_users,
    get_password_hash,
    get_public_user_by_username,
    get_user_by_id,
    get_user_profile,
    update_user,
)
from services import session_service
from utils.errors import Forbidden
from utils.passwords import fits_bcrypt, hashing_slot
from utils.sql import transaction

# A login this young proves by itself who is asking for a new password.
FRESH_LOGIN_SECONDS = 15 * 60


def get_all(limit: int, offset: int) -> list[User]:
    """Ordered by id."""
    return get_all_users(limit, offset)


def get_by_id(user_id: int) -> User:
    """Raises NotFound."""
    return get_user_by_id(user_id)


def get_by_name(user_name: str) -> User:
    """Raises NotFound."""
    return get_public_user_by_username(user_name)


def get_profile(user_id: int) -> UserProfile:
    """Raises NotFound."""
    return get_user_profile(user_id)


def update(user_id: int, dto: UserChanges) -> User:
    """Change what `dto` names; a new password ends the other sessions of the user.

    Raises InvalidRequest, NotFound, Conflict, and Forbidden when a new password is not proven.
    """
    changes = dto.copy()
    session_id = changes.pop("session_id", None)
    proof = changes.pop("current_password", None)
    password = changes.pop("password", None)
    if session_id and password and not _is_new(user_id, password, proof, session_id):
        # Clients send the present password along with any edit: nothing to do for it.
        return update_user(user_id, changes) if changes else get_user_by_id(user_id)
    if password is None:
        return update_user(user_id, changes)

    with hashing_slot():
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(get_settings().bcrypt_rounds))
    changes["password_hash"] = hashed.decode()
    if session_id is None:
        return update_user(user_id, changes)
    with transaction() as conn:
        user = update_user(user_id, changes, conn=conn)
        ended = session_repository.end_sessions(user_id, except_id=session_id, conn=conn)
    for each in ended:
        session_service.forget(each, user_id)
    return user


def delete(user_id: int) -> None:
    """Raises NotFound. A session is alive only as long as its user: all of them end with this."""
    delete_user(user_id)
    session_service.forget_user(user_id)


def _is_new(user_id: int, password: str, proof: str | None, session_id: str) -> bool:
    """Whether `password` differs from the present one. Raises Forbidden without a proof:
    the present password, in either field, or a fresh login (OWASP ASVS 5.0, 6.2.3)."""
    stored = get_password_hash(user_id).encode()
    if _matches(password, stored):
        return False
    if proof is not None and _matches(proof, stored):
        return True
    if proof is None and session_repository.is_recent(session_id, FRESH_LOGIN_SECONDS):
        return True
    raise Forbidden("To change the password, send the present one as current_password")


def _matches(password: str, stored: bytes) -> bool:
    candidate = password.encode()
    with hashing_slot():
        return fits_bcrypt(candidate) and bcrypt.checkpw(candidate, stored)
