"""Roles: creating and changing them, their permissions, and the users who have them.

A change takes effect at once in this process, and within a second in all others.
"""

from collections.abc import Sequence

from dto.role_dto import Role, RoleChanges
from repositories import permission_repository, role_repository, user_repository
from repositories.sql import Conn, transaction
from services import access_cache, access_rules, audit_service, idempotency_service
from utils.errors import Conflict, NotFound


def get_all(limit: int, offset: int) -> list[Role]:
    """Ordered by name."""
    access_rules.require_permission("role:read")
    return role_repository.get_all_roles(limit, offset)


def get(role_id: str) -> Role:
    """Raises NotFound."""
    access_rules.require_permission("role:read")
    return role_repository.get_role(role_id)


def create(name: str, description: str) -> Role:
    """Raises Conflict."""
    access_rules.require_permission("role:write")
    request = {"name": name, "description": description}
    return idempotency_service.once(request, lambda *conn: _create(name, description, *conn))


def _create(name: str, description: str, conn: Conn | None = None) -> Role:
    with transaction(conn) as conn:
        role = role_repository.create_role(name, description, conn)
        audit_service.record("role.create", f"role:{name}", None, dict(role), conn)
    return role


def update(role_id: str, changes: RoleChanges) -> Role:
    """Raises NotFound, InvalidRequest, Conflict; a built-in role keeps its name."""
    access_rules.require_permission("role:write")
    with transaction() as conn:
        role_repository.lock_role(role_id, conn)
        before = role_repository.get_role(role_id, conn)
        if before["is_builtin"] and changes.get("name", before["name"]) != before["name"]:
            raise Conflict(
                f"The role {before['name']} is built in and keeps its name", code="built_in"
            )
        role_repository.update_role(role_id, changes, conn)
        after = role_repository.get_role(role_id, conn)
        target = f"role:{before['name']}"
        audit_service.record("role.update", target, dict(before), dict(after), conn)
    return after


def delete(role_id: str, force: bool) -> None:
    """Raises NotFound, and Conflict for a built-in role or, without `force`, one in use."""
    access_rules.require_permission("role:write")
    with transaction() as conn:
        role_repository.lock_role(role_id, conn)
        role = role_repository.get_role(role_id, conn)
        if role["is_builtin"]:
            raise Conflict(f"The role {role['name']} is built in and stays", code="built_in")
        holders = role_repository.count_holders(role_id, conn)
        if holders and not force:
            raise Conflict(
                f"The role {role['name']} is held (users: {holders}): take it from them first, "
                "or delete it with ?force=true",
                code="role_in_use",
            )
        role_repository.delete_role(role_id, conn)
        before = {**role, "holders": holders}
        audit_service.record("role.delete", f"role:{role['name']}", before, None, conn)
    access_cache.invalidate_all()


def set_permissions(role_id: str, references: Sequence[str]) -> Role:
    """The whole set, by name or id. Raises NotFound for an unknown role or permission, and
    Conflict for the role admin, which always has all permissions."""
    access_rules.require_permission("role:write")
    with transaction() as conn:
        role_repository.lock_role(role_id, conn)
        before = role_repository.get_role(role_id, conn)
        if before["name"] == "admin":
            raise Conflict("The role admin holds every permission; make a role of your own")
        found = permission_repository.find_permissions(list(references), conn)
        _require_all_found("permission", references, found)
        role_repository.set_role_permissions(role_id, [each["id"] for each in found], conn)
        after = role_repository.get_role(role_id, conn)
        target = f"role:{before['name']}"
        audit_service.record("role.permissions", target, dict(before), dict(after), conn)
    access_cache.invalidate_all()
    return after


def get_of_user(user_id: int) -> list[Role]:
    """Ordered by name, with `user`, which every member has. Raises NotFound."""
    access_rules.require_permission("role:read")
    user_repository.get_user_by_id(user_id)
    return role_repository.get_user_roles(user_id)


def set_of_user(user_id: int, references: Sequence[str]) -> list[Role]:
    """The whole set, by name or id. Raises NotFound."""
    access_rules.require_permission("role:write")
    with transaction() as conn:
        user_repository.lock_user(user_id, conn)
        before = role_repository.get_user_roles(user_id, conn)
        assign(user_id, references, conn)
        after = role_repository.get_user_roles(user_id, conn)
        audit_service.record("user.roles", f"user:{user_id}", _names(before), _names(after), conn)
    access_cache.invalidate_user(user_id)
    return after


def assign(user_id: int, references: Sequence[str], conn: Conn) -> list[str]:
    """The whole set, by name or id, in a transaction that writes its own audit entry. Returns the
    names of the roles. Raises NotFound."""
    access_rules.require_permission("role:write")
    found = role_repository.find_roles(list(references), conn)
    _require_all_found("role", references, found)
    role_repository.set_user_roles(user_id, [each["id"] for each in found], conn)
    return [each["name"] for each in found]


def _names(roles: list[Role]) -> dict[str, list[str]]:
    return {"roles": [role["name"] for role in roles]}


def _require_all_found(
    kind: str, references: Sequence[str], found: Sequence[dict[str, str]]
) -> None:
    known = {value for each in found for value in each.values()}
    if unknown := sorted({reference.lower() for reference in references} - known):
        raise NotFound(f"There is no {kind} {unknown[0]}", code="reference_not_found")
