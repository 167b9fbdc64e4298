"""Posts: reading, writing and deleting them, likes and views."""

from dto.post_dto import NewPost, Post, PostFilter
from repositories import post_repository, report_repository
from repositories.search import scans_feed
from services import access_rules, idempotency_service
from utils.errors import NotFound


def get_all_posts(dto: PostFilter) -> list[Post]:
    """Top-level posts, the newest first; with `reply_to_id` its replies, the oldest first."""
    access_rules.require_permission("post:read")
    return post_repository.get_all_posts(dto)


def get_end_of_search(dto: PostFilter) -> int | None:
    """The id after which a search goes on that has looked at a part of the feed; None when it has
    looked at all."""
    return post_repository.get_end_of_scan(dto.get("after_id")) if scans_feed(dto) else None


def get_post(post_id: int, user_id: int) -> Post:
    """Raises NotFound. Blocks do not hide a reported post from moderators."""
    access_rules.require_permission("post:read")
    try:
        return post_repository.get_post_by_id(post_id, user_id)
    except NotFound:
        if not access_rules.may("report:read"):
            raise
        return report_repository.get_reported_post(post_id, user_id)


def create_post(dto: NewPost) -> Post:
    """Raises NotFound when the post that it answers does not exist."""
    access_rules.require_acting_for(dto["user_id"], "post:create")
    return idempotency_service.once(dto, lambda *conn: post_repository.create_post(dto, *conn))


def delete_post(post_id: int, owner_id: int) -> None:
    """A post of this owner's; for a caller with `post:delete_any` anybody's. Raises NotFound, also
    when the post is another's."""
    if access_rules.may("post:delete_any"):
        post_repository.delete_any_post(post_id)
    else:
        access_rules.require_acting_for(owner_id)
        post_repository.delete_post(post_id, owner_id)


def view_post(post_id: int, user_id: int) -> None:
    """Raises NotFound; Conflict when viewed before."""
    access_rules.require_acting_for(user_id, "post:view")
    idempotency_service.once(None, lambda *conn: post_repository.view_post(post_id, user_id, *conn))


def like_post(post_id: int, user_id: int) -> None:
    """Raises NotFound; Conflict when liked already."""
    access_rules.require_acting_for(user_id, "post:like")
    idempotency_service.once(None, lambda *conn: post_repository.like_post(post_id, user_id, *conn))


def dislike_post(post_id: int, user_id: int) -> None:
    """Raises NotFound."""
    access_rules.require_acting_for(user_id, "post:like")
    post_repository.dislike_post(post_id, user_id)
