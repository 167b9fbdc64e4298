"""The audit log in PostgreSQL. Entries are added, never changed."""

from typing import Any

from psycopg.types.json import Jsonb

from dto.role_dto import AuditEntry
from repositories.sql import Conn, execute, fetch_all


def add_entry(
    actor_id: int | None,
    action: str,
    target: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    request_id: str | None,
    conn: Conn,
) -> None:
    execute(
        """
        INSERT INTO audit_log (actor_id, action, target, before, after, request_id)
        VALUES (%s, %s, %s, %s, %s, %s)
        """,
        (
            actor_id,
            action,
            target,
            Jsonb(before) if before is not None else None,
            Jsonb(after) if after is not None else None,
            request_id,
        ),
        conn,
    )


def get_entries(limit: int, offset: int, after_id: int | None) -> list[AuditEntry]:
    """The newest first; `after_id` is the last entry of the previous page."""
    return fetch_all(
        """
        SELECT id, created_at, actor_id, action, target, before, after, request_id
        FROM audit_log
        WHERE %s::bigint IS NULL OR id < %s
        ORDER BY id DESC
        OFFSET %s
        LIMIT %s
        """,
        (after_id, after_id, offset, limit),
    )
