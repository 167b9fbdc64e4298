"""How an account is made, who may change what in it, and which changes need a password."""

import bcrypt

from config import db
from config.settings import get_settings
from dto.auth_dto import RegisterFields
from dto.fields import BCRYPT_MAX_BYTES
from dto.user_dto import CreateUserFields, LockedUser, NewUser, UserChanges, UserColumns
from repositories import session_repository, user_repository
from repositories.sql import Conn
from services import access_rules
from utils.errors import Conflict, Forbidden, Unprocessable

FLAGS = {"is_active", "is_superuser"}
# They stand for something here: a role, a path beside those of the users, an author who has left,
# a program that acts. Nobody may be mistaken for these.
RESERVED_NAMES = {
    "admin",
    "administrator",
    "deleted",
    "gophertalk",
    "guest",
    "me",
    "moderator",
    "root",
    "signup",
    "superuser",
    "system",
    "user",
}
# The owner of an account cannot change these without a further check.
SENSITIVE = {"password", "email", *FLAGS}
# Who logged in so recently need not give the password again to change it.
RECENT_LOGIN_SECONDS = 15 * 60


def new_user(dto: RegisterFields | CreateUserFields) -> NewUser:
    """What the repository needs, with the password hashed and no flag set. Raises Unprocessable for
    a reserved name."""
    check_user_name(dto["user_name"])
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
    """Takes a quarter of a second or more of one core, depending on BCRYPT_ROUNDS."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(get_settings().bcrypt_rounds))
    return hashed.decode()


def matches(password: str, stored_hash: str) -> bool:
    """Whether this is the password. Takes as long as `hash_password`."""
    candidate = password.encode()
    # bcrypt raises an error for more bytes, and no user can have such a password.
    return len(candidate) <= BCRYPT_MAX_BYTES and bcrypt.checkpw(candidate, stored_hash.encode())


def check_without_caller(user_id: int, changes: UserChanges | None = None) -> None:
    """The course's unit tests change and delete an account without a caller. This is done as if
    its owner did it, but never for a flag or for a superuser's account. Raises Forbidden.

    Where no pool was opened (unit tests), no account can be a superuser's.
    """
    if changes and changes.keys() & FLAGS:
        raise Forbidden("Flags cannot be changed without a caller")
    if not db.pool.closed and user_repository.is_superuser(user_id):
        raise Forbidden("A superuser's account cannot be changed without a caller")


def check_user_name(user_name: str, user_id: int = 0) -> None:
    """Refuses a reserved name, however it is written (`Admin`, `_admin_`). A user who has it keeps
    it, for clients send all fields back; and SYSTEM may give it. Raises Unprocessable."""
    is_reserved = user_name.replace("_", "").lower() in RESERVED_NAMES
    if not is_reserved or access_rules.is_system():
        return
    if user_id == 0 or user_repository.get_user_by_id(user_id)["user_name"] != user_name:
        raise Unprocessable(
            "This name is reserved", ("body", "user_name"), code="user_name_reserved"
        )


def require_reauthentication(user_id: int, changes: UserChanges) -> None:
    """For a user's own new password or address: needs the present password, a recent login, or the
    permission to change any account (OWASP ASVS 5.0, 6.2.3). Raises Forbidden.

    Some clients send the present password as `password` with every edit. It is accepted as the
    proof, and removed from `changes`, because it changes nothing.
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
        raise Forbidden(
            "This change needs the present password, as current_password",
            code="reauthentication_required",
        )


def email_columns(before: LockedUser, email: str | None) -> UserColumns:
    """What a new address changes: one that was confirmed stays until the new one is confirmed."""
    if email is None or not before["email_confirmed"]:
        return {"email": email, "pending_email": None}
    is_same = email.lower() == str(before["email"]).lower()
    return {"pending_email": None if is_same else email}


def check_flags(before: LockedUser, changes: UserChanges) -> None:
    """`is_active` needs a permission, `is_superuser` a superuser. Raises Forbidden."""
    if changes.get("is_active", bool(before["status"])) != bool(before["status"]):
        access_rules.require_permission("user:update_any")
    if changes.get("is_superuser", before["is_superuser"]) != before["is_superuser"]:
        require_superuser()


def require_superuser() -> None:
    """To make a user a superuser, or to end it. SYSTEM counts as one. Raises Forbidden."""
    if not access_rules.is_superuser():
        raise Forbidden("Only a superuser may change who is one", code="superuser_required")


def protect_superuser(before: LockedUser) -> None:
    """The permission to change all accounts does not include those of superusers: it would be a
    way to become one. Raises Forbidden."""
    if (
        before["is_superuser"]
        and not access_rules.is_caller(before["id"])
        and not access_rules.is_superuser()
    ):
        raise Forbidden(
            "Only a superuser may change a superuser's account", code="superuser_required"
        )


def require_another_superuser(user_id: int, conn: Conn) -> None:
    """To be called before a user is demoted, deactivated or deleted, first in the transaction.
    Raises Conflict when this user is the last active superuser."""
    if user_repository.lock_active_superusers(conn) == [user_id]:
        raise Conflict(
            "This is the last active superuser: make somebody else a superuser first",
            code="last_superuser",
        )
