"""HTTP for editing posts."""

from dependencies.auth import CurrentUserId, ReaderId
from dependencies.pagination import OffsetPage
from dependencies.params import PostId
from dto.post_dto import Post
from dto.post_edit_dto import EarlierText, EditPostDto
from services import post_edit_service


def edit_post(post_id: PostId, dto: EditPostDto, user_id: CurrentUserId) -> Post:
    """Changes the text of a post of your own. Likes stay; the earlier text is kept in its
    history. The same text again changes nothing."""
    return post_edit_service.edit_post(post_id, user_id, dto.text)


def get_history(post_id: PostId, reader_id: ReaderId, page: OffsetPage) -> list[EarlierText]:
    """What a post said before it was edited, the newest first; `written_at` is when it began to
    say so."""
    return page.by_offset(
        post_edit_service.get_history(post_id, reader_id, page.fetch_limit, page.offset)
    )
