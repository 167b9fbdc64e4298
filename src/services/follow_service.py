"""Following: who follows whom, and the lists of both."""

from dto.user_dto import RelatedUser
from repositories import follow_repository, profile_repository
from services import access_rules, idempotency_service


def follow(user_id: int) -> None:
    """The caller follows this user from now on. Raises NotFound and Conflict."""
    access_rules.require_permission("user:follow")
    follower_id = access_rules.require_member()
    idempotency_service.once(
        None, lambda *conn: follow_repository.follow(follower_id, user_id, *conn)
    )


def unfollow(user_id: int) -> None:
    """Raises NotFound when the caller does not follow this user."""
    access_rules.require_permission("user:follow")
    follow_repository.unfollow(access_rules.require_member(), user_id)


def get_followers(user_id: int, after_id: int | None, limit: int) -> list[RelatedUser]:
    """The newest first. Raises NotFound."""
    access_rules.require_own_or(user_id, "user:read")
    reader_id = access_rules.reader_id()
    profile_repository.get_profile(user_id, reader_id)
    return follow_repository.get_followers(user_id, reader_id, after_id, limit)


def get_following(user_id: int, after_id: int | None, limit: int) -> list[RelatedUser]:
    """The newest first. Raises NotFound."""
    access_rules.require_own_or(user_id, "user:read")
    reader_id = access_rules.reader_id()
    profile_repository.get_profile(user_id, reader_id)
    return follow_repository.get_following(user_id, reader_id, after_id, limit)
