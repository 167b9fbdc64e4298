"""Permissions: the built-in ones, which the code checks, and those that are added."""

from dto.role_dto import Permission
from repositories import permission_repository
from repositories.sql import Conn, transaction
from services import access_cache, access_rules, audit_service, idempotency_service
from utils.errors import Conflict


def get_all(limit: int, offset: int) -> list[Permission]:
    """Ordered by resource and action."""
    access_rules.require_permission("role:write")
    return permission_repository.get_all_permissions(limit, offset)


def create(resource: str, action: str) -> Permission:
    """Raises Conflict."""
    access_rules.require_permission("role:write")
    request = {"resource": resource, "action": action}
    permission = idempotency_service.once(request, lambda *conn: _create(resource, action, *conn))
    access_cache.invalidate_all()
    return permission


def _create(resource: str, action: str, conn: Conn | None = None) -> Permission:
    with transaction(conn) as conn:
        permission = permission_repository.create_permission(resource, action, conn)
        target = f"permission:{resource}:{action}"
        audit_service.record("permission.create", target, None, dict(permission), conn)
    return permission


def delete(permission_id: str) -> None:
    """Raises NotFound, and Conflict when it is built in or a role other than admin has it."""
    access_rules.require_permission("role:write")
    with transaction() as conn:
        permission = permission_repository.lock_permission(permission_id, conn)
        name = f"{permission['resource']}:{permission['action']}"
        if permission["is_builtin"]:
            raise Conflict(f"The permission {name} is built in and stays", code="built_in")
        if holders := permission_repository.get_holders(permission_id, conn):
            raise Conflict(
                f"Take {name} from these roles first: {', '.join(holders)}",
                code="permission_in_use",
            )
        permission_repository.delete_permission(permission_id, conn)
        target = f"permission:{name}"
        audit_service.record("permission.delete", target, dict(permission), None, conn)
    access_cache.invalidate_all()
