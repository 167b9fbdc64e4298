"""HTTP for roles, permissions and the audit log."""

from typing import cast

from dependencies.pagination import CursorPage, OffsetPage
from dependencies.params import Force, PermissionId, RoleId
from dto.role_dto import (
    AuditEntry,
    CreatePermissionDto,
    CreateRoleDto,
    Permission,
    Role,
    RoleChanges,
    RolePermissionsDto,
    UpdateRoleDto,
)
from services import audit_service, permission_service, role_service


def get_roles(page: OffsetPage) -> list[Role]:
    """All roles with their permissions, ordered by name."""
    return page.by_offset(role_service.get_all(page.fetch_limit, page.offset))


def create_role(dto: CreateRoleDto) -> Role:
    """Creates a role, which has no permissions yet."""
    return role_service.create(dto.name, dto.description)


def get_role(role_id: RoleId) -> Role:
    """One role with its permissions."""
    return role_service.get(str(role_id))


def update_role(role_id: RoleId, dto: UpdateRoleDto) -> Role:
    """Changes the fields that are sent. A built-in role keeps its name."""
    return role_service.update(str(role_id), cast(RoleChanges, dto.model_dump(exclude_unset=True)))


def delete_role(role_id: RoleId, force: Force = False) -> None:
    """Deletes a role. One that users have needs `force=true`; a built-in one stays."""
    role_service.delete(str(role_id), force)


def set_role_permissions(role_id: RoleId, dto: RolePermissionsDto) -> Role:
    """Replaces the permissions of a role, given by name or id. The role admin always has all."""
    return role_service.set_permissions(str(role_id), dto.permissions)


def get_permissions(page: OffsetPage) -> list[Permission]:
    """All permissions, ordered by resource and action."""
    return page.by_offset(permission_service.get_all(page.fetch_limit, page.offset))


def create_permission(dto: CreatePermissionDto) -> Permission:
    """Creates a permission for your own product. The role admin has it at once."""
    return permission_service.create(dto.resource, dto.action)


def delete_permission(permission_id: PermissionId) -> None:
    """Deletes a permission that only the role admin has. A built-in one stays."""
    permission_service.delete(str(permission_id))


def get_audit_log(page: CursorPage) -> list[AuditEntry]:
    """Who changed which rights, the newest first."""
    return page.by_cursor(audit_service.get_all(page.fetch_limit, page.offset, page.after_id))
