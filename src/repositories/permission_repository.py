"""Permissions in PostgreSQL."""

from psycopg.errors import UniqueViolation

from dto.role_dto import Permission
from repositories.sql import Conn, execute, fetch_all, fetch_one
from utils.errors import Conflict, NotFound


def create_permission(resource: str, action: str, conn: Conn) -> Permission:
    """A trigger gives it to the role admin. Raises Conflict."""
    try:
        return fetch_one(
            """
            INSERT INTO permissions (resource, action)
            VALUES (%s, %s)
            RETURNING id::text AS id, resource, action, is_builtin
            """,
            (resource, action),
            conn,
        )
    except UniqueViolation as error:
        raise Conflict(
            f"There is a permission {resource}:{action} already", code="permission_exists"
        ) from error


def get_all_permissions(limit: int, offset: int) -> list[Permission]:
    """Ordered by resource and action."""
    return fetch_all(
        """
        SELECT id::text AS id, resource, action, is_builtin
        FROM permissions
        ORDER BY resource, action
        OFFSET %s
        LIMIT %s
        """,
        (offset, limit),
    )


def lock_permission(permission_id: str, conn: Conn) -> Permission:
    """Until the transaction ends, no other can grant or delete it. Raises NotFound."""
    row = fetch_one(
        """
        SELECT id::text AS id, resource, action, is_builtin
        FROM permissions
        WHERE id = %s
        FOR UPDATE
        """,
        (permission_id,),
        conn,
    )
    if row is None:
        raise NotFound("Permission not found", code="permission_not_found")
    return row


def find_permissions(references: list[str], conn: Conn) -> list[dict[str, str]]:
    """`id` and `name` of permissions, given by id or as `post:read`; unknown ones are left out. No
    other transaction can delete them until this one ends."""
    lowered = [reference.lower() for reference in references]
    return fetch_all(
        """
        SELECT id::text AS id, resource || ':' || action AS name
        FROM permissions
        WHERE resource || ':' || action = ANY(%s) OR id::text = ANY(%s)
        ORDER BY name
        FOR KEY SHARE
        """,
        (lowered, lowered),
        conn,
    )


def get_holders(permission_id: str, conn: Conn) -> list[str]:
    """The names of the roles that have it, without admin, which has all."""
    rows = fetch_all(
        """
        SELECT r.name
        FROM role_permissions rp
        JOIN roles r ON r.id = rp.role_id
        WHERE rp.permission_id = %s AND r.name <> 'admin'
        ORDER BY r.name
        """,
        (permission_id,),
        conn,
    )
    return [row["name"] for row in rows]


def delete_permission(permission_id: str, conn: Conn) -> None:
    execute("DELETE FROM permissions WHERE id = %s", (permission_id,), conn)
