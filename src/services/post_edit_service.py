"""Editing a post, and what it said before."""

from config.settings import get_settings
from dto.post_dto import Post
from dto.post_edit_dto import EarlierText
from repositories import post_edit_repository, post_repository
from services import access_rules, post_service
from utils.errors import Conflict


def edit_post(post_id: int, owner_id: int, text: str) -> Post:
    """Raises NotFound, also when the post is another's, and Conflict when it is older than
    POST_EDIT_MINUTES."""
    access_rules.require_acting_for(owner_id, "post:edit")
    minutes = get_settings().post_edit_minutes
    if minutes and not post_edit_repository.is_younger_than(post_id, owner_id, minutes):
        raise Conflict(f"A post can be edited for {minutes} minutes only", code="edit_time_over")
    post_edit_repository.edit_post(post_id, owner_id, text)
    return post_repository.get_post_by_id(post_id, owner_id)


def get_history(post_id: int, reader_id: int, limit: int, offset: int) -> list[EarlierText]:
    """The newest first. Who cannot see the post cannot see this. Raises NotFound."""
    post_service.get_post(post_id, reader_id)
    return post_edit_repository.get_earlier_texts(post_id, limit, offset)
