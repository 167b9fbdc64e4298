"""HTTP for following."""

from dependencies.pagination import PureCursorPage
from dependencies.params import UserId
from dto.user_dto import User
from services import follow_service


def follow(user_id: UserId) -> None:
    """Their posts are part of your home timeline from now on."""
    follow_service.follow(user_id)


def unfollow(user_id: UserId) -> None:
    """Ends it."""
    follow_service.unfollow(user_id)


def get_followers(user_id: UserId, page: PureCursorPage) -> list[User]:
    """Who follows this user, the newest first. The `Link` header leads to the next page."""
    return page.by_place(follow_service.get_followers(user_id, page.after_id, page.fetch_limit))


def get_following(user_id: UserId, page: PureCursorPage) -> list[User]:
    """Whom this user follows, the newest first. The `Link` header leads to the next page."""
    return page.by_place(follow_service.get_following(user_id, page.after_id, page.fetch_limit))
