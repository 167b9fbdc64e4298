"""Posts: reading, writing, deleting, and what readers do with them."""

from dto.post_dto import NewPost, Post, PostFilter
from repositories import post_repository


def get_all_posts(dto: PostFilter) -> list[Post]:
    """Top-level posts, the newest first; with `reply_to_id` its replies, the oldest first."""
    return post_repository.get_all_posts(dto)


def get_post(post_id: int, user_id: int) -> Post:
    """Raises NotFound."""
    return post_repository.get_post_by_id(post_id, user_id)


def create_post(dto: NewPost) -> Post:
    """Raises NotFound when the post that it answers is not there."""
    return post_repository.create_post(dto)


def delete_post(post_id: int, owner_id: int | None) -> None:
    """Only the owner's post; None for anybody's. Raises NotFound, also when it is another's."""
    if owner_id is None:
        post_repository.delete_any_post(post_id)
    else:
        post_repository.delete_post(post_id, owner_id)


def view_post(post_id: int, user_id: int) -> None:
    """Raises NotFound; Conflict when viewed before."""
    post_repository.view_post(post_id, user_id)


def like_post(post_id: int, user_id: int) -> None:
    """Raises NotFound; Conflict when liked already."""
    post_repository.like_post(post_id, user_id)


def dislike_post(post_id: int, user_id: int) -> None:
    """Raises NotFound."""
    post_repository.dislike_post(post_id, user_id)
