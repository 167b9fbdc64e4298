"""Users: reading, making, changing and deleting them."""

from typing import Any

import bcrypt

from config.settings import get_settings
from dto.access_dto import Caller, current_caller
from dto.user_dto import (
    CreateUserFields,
    LockedUser,
    OwnProfile,
    User,
    UserChanges,
    UserProfile,
)
from repositories import role_repository, session_repository, user_repository
from repositories.sql import transaction
from repositories.user_repository import delete_user, get_all_users, get_user_by_id, update_user
from services import (
    account_rules,
    audit_service,
    auth_service,
    recovery_service,
    role_service,
    session_service,
)
from utils.errors import Forbidden

# What a user may not simply change, not even about themselves.
SENSITIVE = {"password", "email", "is_active", "is_superuser"}


def get_all(limit: int, offset: int) -> list[User]:
    """Ordered by id."""
    return get_all_users(limit, offset)


def get_by_id(user_id: int) -> User:
    """Raises NotFound."""
    return get_user_by_id(user_id)


def get_by_name(user_name: str) -> User:
    """Raises NotFound."""
    return user_repository.get_public_user_by_username(user_name)


def get_profile(user: int | str) -> UserProfile:
    """With what is private, by id or by user name. Raises NotFound."""
    user_id = user if isinstance(user, int) else get_by_name(user)["id"]
    return user_repository.get_user_profile(user_id)


def get_own_profile(caller: Caller) -> OwnProfile:
    """The caller's own, with their rights. Raises NotFound."""
    user_id = int(caller["sub"])
    roles = role_repository.get_user_roles(user_id)
    return {
        **user_repository.get_user_profile(user_id),
        "roles": [role["name"] for role in roles],
        "permissions": sorted(caller.get("permissions", ())),
    }


def create(dto: CreateUserFields) -> UserProfile:
    """An account with any roles and flags. Raises Conflict, NotFound for an unknown role, and
    Forbidden when somebody who is no superuser makes one."""
    if dto["is_superuser"]:
        account_rules.demand_superuser(current_caller.get())
    user = auth_service.new_user(dto)
    user["status"], user["is_superuser"] = int(dto["is_active"]), dto["is_superuser"]
    with transaction() as conn:
        user_id = user_repository.create_user(user, conn)["id"]
        roles = role_service.assign(user_id, dto["roles"], conn)
        profile = user_repository.get_user_profile(user_id, conn)
        after = {"roles": roles, **_flags(profile)}
        audit_service.record("user.create", f"user:{user_id}", None, after, conn)
    if email := dto.get("email"):
        recovery_service.ask_to_confirm(user_id, email)
    return profile


def update(user_id: int, dto: UserChanges) -> User:
    """Change what `dto` names; a new password ends the user's other sessions.

    Raises InvalidRequest, NotFound, Conflict, and Forbidden when the caller may not, or does not
    prove a new password.
    """
    caller = current_caller.get()
    own = caller is None or account_rules.is_own(caller, user_id)
    if caller is None or (own and not dto.keys() & SENSITIVE):
        user = update_user(user_id, _as_columns(dto))
        session_service.forget_user(user_id)
    else:
        user = _update_with_care(caller, user_id, dto.copy())
    if email := dto.get("email"):
        recovery_service.ask_to_confirm(user_id, email)
    return user


def _update_with_care(caller: Caller, user_id: int, changes: UserChanges) -> User:
    own = account_rules.is_own(caller, user_id)
    if own:
        account_rules.demand_proof(caller, changes)
        if not changes.keys() - {"current_password"}:
            return get_user_by_id(user_id)
    columns = _as_columns(changes)
    with transaction() as conn:
        if False in (changes.get("is_active"), changes.get("is_superuser")):
            account_rules.keep_a_superuser(user_id, conn)
        before = user_repository.lock_user(user_id, conn)
        account_rules.demand_rights(caller, before, changes)
        user = update_user(user_id, columns, conn=conn)
        if "password_hash" in columns or columns.get("status") == 0:
            kept = caller.get("sid") if own and columns.get("status") != 0 else None
            session_repository.end_sessions(user_id, except_id=kept, conn=conn)
        if not own or changes.keys() & {"is_active", "is_superuser"}:
            after = {**_flags({**before, **columns}), "changed": sorted(columns)}
            target = f"user:{user_id}"
            audit_service.record("user.update", target, _flags(before), after, conn)
    session_service.forget_user(user_id)
    return user


def delete(user_id: int) -> None:
    """Soft. Raises NotFound, Forbidden, Conflict. A session lives only as long as its user."""
    caller = current_caller.get()
    if caller is None or (
        account_rules.is_own(caller, user_id) and not caller.get("is_superuser", False)
    ):
        delete_user(user_id)
    else:
        _delete_with_care(caller, user_id)
    session_service.forget_user(user_id)


def _delete_with_care(caller: Caller, user_id: int) -> None:
    if account_rules.is_own(caller, user_id):
        raise Forbidden("A superuser cannot delete their own account")
    with transaction() as conn:
        account_rules.keep_a_superuser(user_id, conn)
        before = user_repository.lock_user(user_id, conn)
        account_rules.protect_superuser(caller, before)
        delete_user(user_id, conn=conn)
        audit_service.record("user.delete", f"user:{user_id}", _flags(before), None, conn)


def _as_columns(dto: UserChanges) -> UserChanges:
    """Passwords become hashes, and flags their columns."""
    columns = dto.copy()
    columns.pop("current_password", None)
    if "password" in columns:
        password = columns.pop("password").encode()
        hashed = bcrypt.hashpw(password, bcrypt.gensalt(get_settings().bcrypt_rounds))
        columns["password_hash"] = hashed.decode()
    if "is_active" in columns:
        columns["status"] = int(columns.pop("is_active"))
    return columns


def _flags(user: LockedUser | UserProfile | dict[str, Any]) -> dict[str, bool]:
    return {"is_active": user["status"] == 1, "is_superuser": user["is_superuser"]}
