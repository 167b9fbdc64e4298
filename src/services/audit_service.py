"""The audit log: every change to users' rights, roles and rules leaves an entry."""

from typing import Any

from dto.access_dto import current_caller
from dto.role_dto import AuditEntry
from repositories import audit_repository
from repositories.sql import Conn
from utils import context


def record(
    action: str,
    target: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    conn: Conn,
) -> None:
    """In the transaction of the change itself. Who and in which request is known from the context;
    a script is nobody."""
    caller = current_caller.get()
    actor_id = int(caller["sub"]) if caller else None
    request_id = context.request_id.get()
    audit_repository.add_entry(actor_id, action, target, before, after, request_id, conn)


def get_all(limit: int, offset: int, after_id: int | None) -> list[AuditEntry]:
    """The newest first."""
    return audit_repository.get_entries(limit, offset, after_id)
