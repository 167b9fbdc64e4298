"""Roles in PostgreSQL, with their permissions and users."""

from typing import Any, LiteralString, cast

from psycopg.errors import UniqueViolation

from dto.role_dto import Role, RoleChanges
from repositories.sql import Conn, execute, fetch_all, fetch_one
from utils.errors import Conflict, InvalidRequest, NotFound

ROLE_COLUMNS: LiteralString = """
    r.id::text AS id, r.name, r.description, r.is_builtin,
    ARRAY(
        SELECT p.resource || ':' || p.action
        FROM role_permissions rp
        JOIN permissions p ON p.id = rp.permission_id
        WHERE rp.role_id = r.id
        ORDER BY p.resource, p.action
    ) AS permissions
"""


def create_role(name: str, description: str, conn: Conn) -> Role:
    """Raises Conflict."""
    try:
        return fetch_one(
            """
            INSERT INTO roles (name, description)
            VALUES (%s, %s)
            RETURNING id::text AS id, name, description, is_builtin,
                      '{}'::text[] AS permissions
            """,
            (name, description),
            conn,
        )
    except UniqueViolation as error:
        raise Conflict(
            f"There is a role {name} already, choose another name", code="role_exists"
        ) from error


def get_all_roles(limit: int, offset: int) -> list[Role]:
    """Ordered by name."""
    return fetch_all(
        f"SELECT {ROLE_COLUMNS} FROM roles r ORDER BY r.name OFFSET %s LIMIT %s", (offset, limit)
    )


def get_role(role_id: str, conn: Conn | None = None) -> Role:
    """Raises NotFound."""
    return _found(
        fetch_one(f"SELECT {ROLE_COLUMNS} FROM roles r WHERE r.id = %s", (role_id,), conn)
    )


def lock_role(role_id: str, conn: Conn) -> None:
    """Until the transaction ends, no other can change the role. Raises NotFound."""
    _found(fetch_one("SELECT id FROM roles WHERE id = %s FOR UPDATE", (role_id,), conn))


def update_role(role_id: str, changes: RoleChanges, conn: Conn) -> None:
    """Raises InvalidRequest, Conflict."""
    known: tuple[LiteralString, ...] = ("name", "description")
    columns: list[LiteralString] = [column for column in known if column in changes]
    if not columns:
        raise InvalidRequest("No fields to update", code="no_fields_to_update")
    assignments: list[LiteralString] = [column + " = %s" for column in columns]
    values = cast(dict[str, Any], changes)
    try:
        execute(
            f"UPDATE roles SET {', '.join(assignments)} WHERE id = %s",
            (*(values[column] for column in columns), role_id),
            conn,
        )
    except UniqueViolation as error:
        raise Conflict(
            "There is a role of that name already, choose another one", code="role_exists"
        ) from error


def delete_role(role_id: str, conn: Conn) -> None:
    """The users who have it lose it."""
    execute("DELETE FROM roles WHERE id = %s", (role_id,), conn)


def count_holders(role_id: str, conn: Conn) -> int:
    row = fetch_one(
        """
        SELECT count(*) AS holders
        FROM user_roles ur
        JOIN users u ON u.id = ur.user_id
        WHERE ur.role_id = %s AND u.deleted_at IS NULL
        """,
        (role_id,),
        conn,
    )
    return row["holders"]


def set_role_permissions(role_id: str, permission_ids: list[str], conn: Conn) -> None:
    """Replaces the complete set."""
    execute(
        """
        WITH wanted AS (
            SELECT unnest(%s::uuid[]) AS permission_id
        ), taken AS (
            DELETE FROM role_permissions
            WHERE role_id = %s AND permission_id NOT IN (SELECT permission_id FROM wanted)
        )
        INSERT INTO role_permissions (role_id, permission_id)
        SELECT %s, permission_id
        FROM wanted
        ON CONFLICT ON CONSTRAINT pk__role_permissions DO NOTHING
        """,
        (permission_ids, role_id, role_id),
        conn,
    )


def find_roles(references: list[str], conn: Conn) -> list[dict[str, str]]:
    """`id` and `name` of roles, given by id or name; unknown ones are left out. No other
    transaction can delete them until this one ends."""
    lowered = [reference.lower() for reference in references]
    return fetch_all(
        """
        SELECT id::text AS id, name
        FROM roles
        WHERE name = ANY(%s) OR id::text = ANY(%s)
        ORDER BY name
        FOR KEY SHARE
        """,
        (lowered, lowered),
        conn,
    )


def get_user_roles(user_id: int, conn: Conn | None = None) -> list[Role]:
    """The user's roles and `user`, which every member has, ordered by name."""
    return fetch_all(
        f"""
        SELECT {ROLE_COLUMNS}
        FROM roles r
        WHERE r.name = 'user'
           OR r.id IN (SELECT ur.role_id FROM user_roles ur WHERE ur.user_id = %s)
        ORDER BY r.name
        """,
        (user_id,),
        conn,
    )


def set_user_roles(user_id: int, role_ids: list[str], conn: Conn) -> None:
    """Replaces the complete set."""
    execute(
        """
        WITH wanted AS (
            SELECT unnest(%s::uuid[]) AS role_id
        ), taken AS (
            DELETE FROM user_roles
            WHERE user_id = %s AND role_id NOT IN (SELECT role_id FROM wanted)
        )
        INSERT INTO user_roles (user_id, role_id)
        SELECT %s, role_id
        FROM wanted
        ON CONFLICT ON CONSTRAINT pk__user_roles DO NOTHING
        """,
        (role_ids, user_id, user_id),
        conn,
    )


def _found(row: Any) -> Any:
    if row is None:
        raise NotFound("Role not found", code="role_not_found")
    return row
