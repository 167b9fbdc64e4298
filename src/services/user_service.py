"""Users: reading, creating, changing and deleting them."""

from typing import Any, cast

import bcrypt

from config import db
from config.secrets import token_secrets
from config.settings import get_settings
from dto.user_dto import (
    CreateUserFields,
    LockedUser,
    NewUser,
    OwnProfile,
    User,
    UserChanges,
    UserColumns,
    UserProfile,
)
from repositories import (
    follow_repository,
    post_repository,
    profile_repository,
    role_repository,
    session_repository,
    user_repository,
)
from repositories.search import needs_scan
from repositories.sql import Conn, transaction
from repositories.user_repository import delete_user, get_all_users, get_user_by_id, update_user
from services import (
    access_cache,
    access_rules,
    account_rules,
    audit_service,
    idempotency_service,
    recovery_service,
    role_service,
)
from utils.digest import keyed_digest_of
from utils.errors import Forbidden

# Fields of a request that are columns of the same name.
SAME_IN_COLUMNS = {"user_name", "first_name", "last_name", "middle_name", "email", "is_superuser"}
ERASED_POSTS_PER_TRANSACTION = 1000


def get_all(limit: int, offset: int) -> list[User]:
    """Ordered by id."""
    access_rules.require_permission("user:read")
    if reader_id := access_rules.reader_id():
        return profile_repository.get_profiles(reader_id, limit, offset)
    return get_all_users(limit, offset)


def search(text: str, limit: int, offset: int, after_id: int) -> list[User]:
    """Whose user name or names contain the text, ordered by id."""
    access_rules.require_permission("user:read")
    reader_id = access_rules.reader_id()
    return profile_repository.search_profiles(text, reader_id, limit, offset, after_id)


def get_end_of_search(text: str, after_id: int) -> int | None:
    """The id after which a search goes on that has looked at some of the accounts; None when it
    has looked at all."""
    return profile_repository.get_end_of_scan(after_id) if needs_scan(text) else None


def get_by_id(user_id: int) -> User | UserProfile:
    """The public profile; with `user:read_private` all of it, whoever is blocked. Raises
    NotFound."""
    access_rules.require_own_or(user_id, "user:read")
    reader_id = access_rules.reader_id()
    if access_rules.may("user:read_private"):
        return user_repository.get_user_profile(user_id, reader_id=reader_id)
    if reader_id:
        return profile_repository.get_profile(user_id, reader_id)
    return get_user_by_id(user_id)


def get_by_name(user_name: str) -> User | UserProfile:
    """The same by the user name."""
    access_rules.require_own_or(user_name, "user:read")
    reader_id = access_rules.reader_id()
    if access_rules.may("user:read_private"):
        user = profile_repository.get_profile_by_name(user_name, 0)
        return user_repository.get_user_profile(user["id"], reader_id=reader_id)
    return profile_repository.get_profile_by_name(user_name, reader_id)


def get_own_profile() -> OwnProfile:
    """The caller's own, with their rights. Raises NotFound."""
    user_id = access_rules.require_member()
    roles = role_repository.get_user_roles(user_id)
    return {
        **user_repository.get_user_profile(user_id),
        "roles": [role["name"] for role in roles],
        "permissions": access_rules.permissions(),
    }


def create(dto: CreateUserFields) -> UserProfile:
    """Roles need `role:write`, and `is_superuser` a superuser as caller. Raises Forbidden,
    Conflict, and NotFound for an unknown role."""
    access_rules.require_permission("user:create")
    if dto["is_superuser"]:
        account_rules.require_superuser()
    user = account_rules.new_user(dto)
    user["status"], user["is_superuser"] = int(dto["is_active"]), dto["is_superuser"]
    password = keyed_digest_of(dto["password"], token_secrets().access)
    made = idempotency_service.once(
        {**dto, "password": password}, lambda *conn: _create(user, dto["roles"], *conn)
    )
    if email := dto.get("email"):
        recovery_service.request_confirmation(made["id"], email)
    return user_repository.get_user_profile(made["id"])


def _create(user: NewUser, role_references: list[str], conn: Conn | None = None) -> dict[str, int]:
    """The id alone is kept with an idempotency key: not what the account holds about a person."""
    with transaction(conn) as conn:
        user_id = user_repository.create_user(user, conn)["id"]
        roles = role_service.assign(user_id, role_references, conn) if role_references else []
        after = {"roles": roles, **_flags({**user})}
        audit_service.record("user.create", f"user:{user_id}", None, after, conn)
    return {"id": user_id}


def update(user_id: int, dto: UserChanges) -> User:
    """Changes the fields in `dto`; a new password ends the user's other sessions.

    Raises InvalidRequest, NotFound, Conflict, Forbidden, and Unprocessable for a reserved name.
    What is possible without a caller: `account_rules.check_without_caller`.
    """
    if "user_name" in dto:
        account_rules.check_user_name(dto["user_name"], user_id)
    if access_rules.current_caller() is None:
        user = _update_without_caller(user_id, dto)
    elif access_rules.is_caller(user_id) and not dto.keys() & account_rules.SENSITIVE:
        user = update_user(user_id, _as_columns(dto))
    else:
        access_rules.require_own_or(user_id, "user:update_any")
        user = _update_in_transaction(user_id, dto.copy())
    access_cache.invalidate_user(user_id)
    if email := dto.get("email"):
        recovery_service.request_confirmation(user_id, email)
    return user


def _update_without_caller(user_id: int, dto: UserChanges) -> User:
    account_rules.check_without_caller(user_id, dto)
    user = update_user(user_id, _as_columns(dto))
    if "password" in dto and not db.pool.closed:
        session_repository.end_sessions(user_id)
    return user


def _update_in_transaction(user_id: int, changes: UserChanges) -> User:
    own = access_rules.is_caller(user_id)
    if own:
        account_rules.require_reauthentication(user_id, changes)
        if not changes.keys() - {"current_password"}:
            return get_user_by_id(user_id)
    columns = _as_columns(changes)
    with transaction() as conn:
        if False in (changes.get("is_active"), changes.get("is_superuser")):
            account_rules.require_another_superuser(user_id, conn)
        before = user_repository.lock_user(user_id, conn)
        account_rules.protect_superuser(before)
        account_rules.check_flags(before, changes)
        if "email" in columns:
            columns |= account_rules.email_columns(before, columns.pop("email"))
        user = update_user(user_id, columns, conn=conn)
        if "password_hash" in columns or columns.get("status") == 0:
            kept = access_rules.session_id() if own and columns.get("status") != 0 else None
            session_repository.end_sessions(user_id, except_id=kept, conn=conn)
        if not own or changes.keys() & account_rules.FLAGS:
            after = {**_flags({**before, **columns}), "changed": sorted(columns)}
            target = f"user:{user_id}"
            audit_service.record("user.update", target, _flags(before), after, conn)
    if not own:
        reader_id = access_rules.reader_id()
        user["is_followed"] = follow_repository.is_followed(user_id, reader_id)
    return user


def delete_with_posts(user_id: int) -> None:
    """Like `delete`, after all posts of the user are deleted with their texts. They may be many, so
    this takes several transactions. If one fails, the account still exists, and the request can be
    repeated. Raises NotFound, Forbidden and Conflict."""
    access_rules.require_own_or(user_id, "user:delete_any")
    if access_rules.is_caller(user_id) and access_rules.is_superuser():
        raise Forbidden("A superuser cannot delete their own account")
    with transaction() as conn:
        account_rules.require_another_superuser(user_id, conn)
        account_rules.protect_superuser(user_repository.lock_user(user_id, conn))
    while post_repository.erase_posts(user_id, ERASED_POSTS_PER_TRANSACTION):
        pass
    delete(user_id)


def delete(user_id: int) -> None:
    """Cannot be undone: the database erases the personal data and ends the sessions. Raises
    NotFound, Forbidden and Conflict. What is possible without a caller:
    `account_rules.check_without_caller`."""
    if access_rules.current_caller() is None:
        account_rules.check_without_caller(user_id)
        delete_user(user_id)
    elif not access_rules.is_caller(user_id):
        access_rules.require_permission("user:delete_any")
        _delete_in_transaction(user_id)
    elif access_rules.is_superuser():
        raise Forbidden("A superuser cannot delete their own account")
    else:
        with transaction() as conn:
            follow_repository.lock_all_of(user_id, conn)
            delete_user(user_id, conn=conn)
    access_cache.invalidate_user(user_id)


def _delete_in_transaction(user_id: int) -> None:
    with transaction() as conn:
        account_rules.require_another_superuser(user_id, conn)
        follow_repository.lock_all_of(user_id, conn)
        before = user_repository.lock_user(user_id, conn)
        account_rules.protect_superuser(before)
        delete_user(user_id, conn=conn)
        audit_service.record("user.delete", f"user:{user_id}", _flags(before), None, conn)


def _as_columns(dto: UserChanges) -> UserColumns:
    """Passwords become hashes, flags their columns; what is no field of a request is left out."""
    same = {name: value for name, value in dto.items() if name in SAME_IN_COLUMNS}
    columns = cast(UserColumns, same)
    if "password" in dto:
        password = dto["password"].encode()
        hashed = bcrypt.hashpw(password, bcrypt.gensalt(get_settings().bcrypt_rounds))
        columns["password_hash"] = hashed
    if "is_active" in dto:
        columns["status"] = int(dto["is_active"])
    return columns


def _flags(user: LockedUser | UserProfile | dict[str, Any]) -> dict[str, bool]:
    return {"is_active": user["status"] == 1, "is_superuser": user["is_superuser"]}
