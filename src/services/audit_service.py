"""The audit log: every change of rights, roles and permissions leaves an entry."""

from typing import Any

from dto.role_dto import AuditEntry
from repositories import audit_repository
from repositories.sql import Conn
from services import access_rules
from utils import context


def record(
    action: str,
    target: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    conn: Conn,
) -> None:
    """To be called in the transaction of the change. Raises Forbidden when no caller is known, so
    that the change is rolled back."""
    actor_id = access_rules.actor_id()
    request_id = context.request_id.get()
    audit_repository.add_entry(actor_id, action, target, before, after, request_id, conn)


def get_all(limit: int, offset: int, after_id: int | None) -> list[AuditEntry]:
    """The newest first."""
    access_rules.require_permission("audit:read")
    return audit_repository.get_entries(limit, offset, after_id)
