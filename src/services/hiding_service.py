"""Mutes and blocks: whom a member does not want to see, or to meet."""

from dto.user_dto import RelatedUser
from repositories import hiding_repository
from services import access_rules, idempotency_service


def mute(user_id: int) -> None:
    """Raises NotFound and Conflict."""
    muter_id = access_rules.require_member()
    idempotency_service.once(None, lambda *conn: hiding_repository.mute(muter_id, user_id, *conn))


def unmute(user_id: int) -> None:
    """Raises NotFound when the caller does not mute this user."""
    hiding_repository.unmute(access_rules.require_member(), user_id)


def block(user_id: int) -> None:
    """Ends the follows between the two, too. Raises NotFound and Conflict."""
    blocker_id = access_rules.require_member()
    idempotency_service.once(
        None, lambda *conn: hiding_repository.block(blocker_id, user_id, *conn)
    )


def unblock(user_id: int) -> None:
    """Raises NotFound when the caller does not block this user."""
    hiding_repository.unblock(access_rules.require_member(), user_id)


def get_muted(after_id: int | None, limit: int) -> list[RelatedUser]:
    """Whom the caller mutes, the newest first."""
    return hiding_repository.get_muted(access_rules.require_member(), after_id, limit)


def get_blocked(after_id: int | None, limit: int) -> list[RelatedUser]:
    """Whom the caller blocks, the newest first."""
    return hiding_repository.get_blocked(access_rules.require_member(), after_id, limit)
