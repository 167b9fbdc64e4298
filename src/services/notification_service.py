"""What the caller is told: who followed, answered, liked or mentioned them."""

from dto.notification_dto import Notification, Unread
from repositories import notification_repository
from services import access_rules


def get_all(after_id: int | None, limit: int, offset: int) -> list[Notification]:
    """The newest first; nothing of people who are muted or blocked."""
    user_id = access_rules.require_member()
    return notification_repository.get_notifications(user_id, after_id, limit, offset)


def count_unread() -> Unread:
    """Counts what `get_all` would give as not read."""
    return notification_repository.count_unread(access_rules.require_member())


def mark_read(up_to_id: int) -> None:
    """All up to this one. A lower id than before changes nothing."""
    notification_repository.mark_read(access_rules.require_member(), up_to_id)
