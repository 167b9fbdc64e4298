"""Who may change what about an account. No rule here is the route's: those have passed already."""

import bcrypt

from dto.access_dto import Caller, may
from dto.user_dto import LockedUser, UserChanges
from repositories import session_repository, user_repository
from repositories.sql import Conn
from utils.errors import Conflict, Forbidden
from utils.passwords import fits_bcrypt

# A login this young proves by itself who is asking for a new password.
FRESH_LOGIN_SECONDS = 15 * 60


def is_own(caller: Caller, user_id: int) -> bool:
    return str(caller["sub"]) == str(user_id)


def matches(password: str, stored_hash: str) -> bool:
    """Whether this is the password; costs as much as a login."""
    candidate = password.encode()
    return fits_bcrypt(candidate) and bcrypt.checkpw(candidate, stored_hash.encode())


def demand_proof(caller: Caller, changes: UserChanges) -> None:
    """For a new password or address of one's own: the present password, or a fresh login, or the
    permission to change anybody's (OWASP ASVS 5.0, 6.2.3). Raises Forbidden.

    Clients send the present password along with any edit: it proves, changes nothing, and is
    taken out of `changes`.
    """
    user_id = int(caller["sub"])
    stored = user_repository.get_password_hash(user_id)
    if "password" in changes and matches(changes["password"], stored):
        del changes["password"]
        return
    moves = "email" in changes and changes["email"] != user_repository.get_email(user_id)
    if not ("password" in changes or moves) or may(caller, "user:update_any"):
        return
    current_password = changes.get("current_password")
    if current_password is None:
        proven = session_repository.is_recent(caller.get("sid", ""), FRESH_LOGIN_SECONDS)
    else:
        proven = matches(current_password, stored)
    if not proven:
        raise Forbidden("This change needs the present password, as current_password")


def demand_rights(caller: Caller, before: LockedUser, changes: UserChanges) -> None:
    """For the flags of an account, and for a superuser's account as a whole. Raises Forbidden."""
    protect_superuser(caller, before)
    activates = changes.get("is_active", bool(before["status"])) != bool(before["status"])
    if activates and not may(caller, "user:update_any"):
        raise Forbidden("This needs the permission user:update_any")
    promotes = changes.get("is_superuser", before["is_superuser"]) != before["is_superuser"]
    if promotes:
        demand_superuser(caller)


def demand_superuser(caller: Caller | None) -> None:
    """Only superusers make superusers. A script may. Raises Forbidden."""
    if caller is not None and not caller.get("is_superuser", False):
        raise Forbidden("Only a superuser may change who is one")


def protect_superuser(caller: Caller, before: LockedUser) -> None:
    """Who may change any account could otherwise take over the superuser's. Raises Forbidden."""
    own = is_own(caller, before["id"])
    if before["is_superuser"] and not own and not caller.get("is_superuser", False):
        raise Forbidden("Only a superuser may change a superuser's account")


def keep_a_superuser(user_id: int, conn: Conn) -> None:
    """For what takes a superuser away: call it first in the transaction. Raises Conflict."""
    if user_repository.lock_active_superusers(conn) == [user_id]:
        raise Conflict("This is the last active superuser: make somebody else a superuser first")
