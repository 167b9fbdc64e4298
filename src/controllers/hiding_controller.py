"""HTTP for mutes and blocks."""

from dependencies.pagination import PureCursorPage
from dependencies.params import UserId
from dto.user_dto import User
from services import hiding_service


def mute(user_id: UserId) -> None:
    """Their posts, and what they do, are not shown to you any more, unless you ask for them
    directly. They are not told."""
    hiding_service.mute(user_id)


def unmute(user_id: UserId) -> None:
    """What was hidden comes back."""
    hiding_service.unmute(user_id)


def block(user_id: UserId) -> None:
    """Neither of you sees, follows, likes, answers or mentions the other any more."""
    hiding_service.block(user_id)


def unblock(user_id: UserId) -> None:
    """What was hidden comes back; follows do not."""
    hiding_service.unblock(user_id)


def get_muted(page: PureCursorPage) -> list[User]:
    """Whom you mute, the newest first."""
    return page.by_place(hiding_service.get_muted(page.after_id, page.fetch_limit))


def get_blocked(page: PureCursorPage) -> list[User]:
    """Whom you block, the newest first."""
    return page.by_place(hiding_service.get_blocked(page.after_id, page.fetch_limit))
