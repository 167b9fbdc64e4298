"""What an account begins with, who may change what about it, and what has to be proved first."""

import bcrypt

from config import db
from config.settings import get_settings
from dto.auth_dto import RegisterFields
from dto.fields import BCRYPT_MAX_BYTES
from dto.user_dto import CreateUserFields, LockedUser, NewUser, UserChanges
from repositories import session_repository, user_repository
from repositories.sql import Conn
from services import access_rules
from utils.errors import Conflict, Forbidden

FLAGS = {"is_active", "is_superuser"}
# What owners cannot change without a further check.
SENSITIVE = {"password", "email", *FLAGS}
# A login this young proves by itself who asks for a new password.
RECENT_LOGIN_SECONDS = 15 * 60


def new_user(dto: RegisterFields | CreateUserFields) -> NewUser:
    """What the repository needs, with the password hashed and no flag set."""
    user: NewUser = {
        "user_name": dto["user_name"],
        "first_name": dto["first_name"],
        "last_name": dto["last_name"],
        "password_hash": hash_password(dto["password"]),
    }
    if "middle_name" in dto:
        user["middle_name"] = dto["middle_name"]
    if "email" in dto:
        user["email"] = dto["email"]
    return user


def hash_password(password: str) -> str:
    """Takes a quarter of a second and more, as BCRYPT_ROUNDS says."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(get_settings().bcrypt_rounds))
    return hashed.decode()


def matches(password: str, stored_hash: str) -> bool:
    """Whether this is the password. Takes as long as hashing it."""
    candidate = password.encode()
    # bcrypt reads no further: a longer password is nobody's.
    return len(candidate) <= BCRYPT_MAX_BYTES and bcrypt.checkpw(candidate, stored_hash.encode())


def check_without_caller(user_id: int, changes: UserChanges | None = None) -> None:
    """Where nobody is known to act, as in the course's unit tests, it is the owner of an ordinary
    account: no superuser's, and no flag is changed. Raises Forbidden.

    Where no pool was opened (unit tests) there is no account to look at.
    """
    if changes and changes.keys() & FLAGS:
        raise Forbidden("Nobody is known to act: flags stay as they are")
    if not db.pool.closed and user_repository.is_superuser(user_id):
        raise Forbidden("Nobody is known to act: a superuser's account stays as it is")


def require_reauthentication(user_id: int, changes: UserChanges) -> None:
    """For a new password or address of one's own: the present password, or a recent login, or the
    permission to change anybody's (OWASP ASVS 5.0, 6.2.3). Raises Forbidden.

    Clients send the present password along with any edit: it proves, changes nothing, and is
    taken out of `changes`.
    """
    stored = user_repository.get_password_hash(user_id)
    if "password" in changes and matches(changes["password"], stored):
        del changes["password"]
        return
    new_email = "email" in changes and changes["email"] != user_repository.get_email(user_id)
    if not ("password" in changes or new_email) or access_rules.may("user:update_any"):
        return
    if "current_password" in changes:
        proved = matches(changes["current_password"], stored)
    else:
        session_id = access_rules.session_id()
        proved = session_id and session_repository.is_recent(session_id, RECENT_LOGIN_SECONDS)
    if not proved:
        raise Forbidden("This change needs the present password, as current_password")


def check_flags(before: LockedUser, changes: UserChanges) -> None:
    """Who may change them: `is_active` by permission, `is_superuser` a superuser. Raises
    Forbidden."""
    if changes.get("is_active", bool(before["status"])) != bool(before["status"]):
        access_rules.require_permission("user:update_any")
    if changes.get("is_superuser", before["is_superuser"]) != before["is_superuser"]:
        require_superuser()


def require_superuser() -> None:
    """Only a superuser, or SYSTEM, makes superusers. Raises Forbidden."""
    if not access_rules.is_superuser():
        raise Forbidden("Only a superuser may change who is one")


def protect_superuser(before: LockedUser) -> None:
    """Who may change any account could otherwise take over the superuser's. Raises Forbidden."""
    if (
        before["is_superuser"]
        and not access_rules.is_caller(before["id"])
        and not access_rules.is_superuser()
    ):
        raise Forbidden("Only a superuser may change a superuser's account")


def require_another_superuser(user_id: int, conn: Conn) -> None:
    """For what may take a superuser away: call it first in the transaction. Raises Conflict when
    this user is the last active one."""
    if user_repository.lock_active_superusers(conn) == [user_id]:
        raise Conflict("This is the last active superuser: make somebody else a superuser first")
