"""HTTP for notifications."""

from dependencies.pagination import CursorPage
from dto.notification_dto import Notification, ReadNotificationsDto, Unread
from services import notification_service


def get_notifications(page: CursorPage) -> list[Notification]:
    """Who followed you, answered, liked or mentioned you, the newest first. What is taken back, or
    done by somebody whom you mute or block, is left out."""
    return page.by_cursor(
        notification_service.get_all(page.after_id, page.fetch_limit, page.offset)
    )


def count_unread() -> Unread:
    """How many of them you have not read."""
    return notification_service.count_unread()


def mark_read(dto: ReadNotificationsDto) -> None:
    """You have read all up to this one. A lower id than before changes nothing."""
    notification_service.mark_read(dto.up_to_id)
