"""Editing a post in PostgreSQL. Triggers keep the earlier text, set `edited_at`, and tell who is
mentioned now: `migrations/0009_notifications.sql`."""

from dto.post_edit_dto import EarlierText
from repositories.sql import execute, fetch_all, fetch_one
from utils.errors import NotFound


def is_younger_than(post_id: int, owner_id: int, minutes: int) -> bool:
    """By the database's clock. Raises NotFound, also for another user's post."""
    row = fetch_one(
        """
        SELECT created_at > now() - make_interval(mins => %s) AS is_younger
        FROM posts
        WHERE id = %s AND user_id = %s AND deleted_at IS NULL
        """,
        (minutes, post_id, owner_id),
    )
    if row is None:
        raise NotFound("Post not found", code="post_not_found")
    return row["is_younger"]


def edit_post(post_id: int, owner_id: int, text: str) -> None:
    """The same text again changes nothing. Raises NotFound, also for another user's post."""
    edited = execute(
        """
        UPDATE posts
        SET text = %s
        WHERE id = %s AND user_id = %s AND deleted_at IS NULL
        """,
        (text, post_id, owner_id),
    )
    if edited == 0:
        raise NotFound("Post not found", code="post_not_found")


def get_earlier_texts(post_id: int, limit: int, offset: int) -> list[EarlierText]:
    """The newest first."""
    return fetch_all(
        """
        SELECT text, written_at
        FROM post_texts
        WHERE post_id = %s
        ORDER BY id DESC
        OFFSET %s
        LIMIT %s
        """,
        (post_id, offset, limit),
    )
