"""The home timeline in PostgreSQL: top-level posts of the reader and of those who are followed, the
newest first. There is no table of copies: it is put together when it is read.

Two statements give the same rows. Which one costs less depends on how many are followed and how
much they write; `services/home_service.py` chooses.
"""

from dto.post_dto import HomeFilter, Post
from repositories.post_rows import (
    AUTHOR_COLUMNS,
    JOIN_AUTHORS,
    NOT_HIDDEN,
    POST_COLUMNS,
    READER_COLUMNS,
    with_author,
)
from repositories.sql import fetch_all, fetch_one


def get_from_authors(dto: HomeFilter) -> list[Post]:
    """One index probe for each author finds their newest post. The page is then among the posts of
    those authors who wrote last, as many as the page has rows. The cost grows with the number of
    authors, however little they write."""
    reader_id, limit = dto["user_id"], dto["limit"]
    rows = fetch_all(
        f"""
        SELECT {POST_COLUMNS}, {READER_COLUMNS}, {AUTHOR_COLUMNS}
        FROM (
            SELECT written.id, written.text, written.reply_to_id, written.created_at,
                   written.edited_at, written.likes_count, written.views_count,
                   written.replies_count, written.user_id
            FROM (
                SELECT author.user_id
                FROM (
                    SELECT followed_id AS user_id FROM follows WHERE follower_id = %s
                    UNION ALL
                    SELECT %s::bigint
                ) author
                CROSS JOIN LATERAL (
                    SELECT id
                    FROM posts
                    WHERE user_id = author.user_id AND reply_to_id IS NULL AND deleted_at IS NULL
                      AND id < coalesce(%s, 9223372036854775807)
                    ORDER BY id DESC
                    LIMIT 1
                ) newest
                WHERE author.{NOT_HIDDEN}
                ORDER BY newest.id DESC
                LIMIT %s
            ) last
            CROSS JOIN LATERAL (
                SELECT id, text, reply_to_id, created_at, edited_at, likes_count, views_count,
                       replies_count, user_id
                FROM posts
                WHERE user_id = last.user_id AND reply_to_id IS NULL AND deleted_at IS NULL
                  AND id < coalesce(%s, 9223372036854775807)
                ORDER BY id DESC
                LIMIT %s
            ) written
            ORDER BY written.id DESC
            LIMIT %s
        ) p
        {JOIN_AUTHORS}
        ORDER BY p.id DESC
        """,
        (
            *(reader_id, reader_id, reader_id, reader_id, dto["after_id"], reader_id, limit),
            *(dto["after_id"], limit, limit),
        ),
    )
    return [with_author(row) for row in rows]


def get_from_feed(dto: HomeFilter) -> list[Post]:
    """Walks down the newest 500 posts of the whole feed, with one probe for each: is its author
    followed? Its cost does not grow with the number of authors; but it may find less than there
    is."""
    reader_id = dto["user_id"]
    rows = fetch_all(
        f"""
        SELECT {POST_COLUMNS}, {READER_COLUMNS}, {AUTHOR_COLUMNS}
        FROM (
            SELECT id, text, reply_to_id, created_at, edited_at, likes_count, views_count,
                   replies_count, user_id
            FROM (
                SELECT id, text, reply_to_id, created_at, edited_at, likes_count, views_count,
                       replies_count, user_id
                FROM posts
                WHERE reply_to_id IS NULL AND deleted_at IS NULL
                  AND id < coalesce(%s, 9223372036854775807)
                ORDER BY id DESC
                LIMIT 500
            ) newest
            WHERE {NOT_HIDDEN}
              AND (
                  user_id = %s
                  OR (
                      SELECT count(*) > 0
                      FROM follows f
                      WHERE f.follower_id = %s AND f.followed_id = newest.user_id
                  )
              )
            ORDER BY id DESC
            LIMIT %s
        ) p
        {JOIN_AUTHORS}
        ORDER BY p.id DESC
        """,
        (reader_id, reader_id, dto["after_id"], reader_id, reader_id, reader_id, dto["limit"]),
    )
    return [with_author(row) for row in rows]


def count_followed(user_id: int) -> int:
    """Read from the profile, where it is kept."""
    row = fetch_one("SELECT following_count FROM users WHERE id = %s", (user_id,))
    return row["following_count"] if row else 0
