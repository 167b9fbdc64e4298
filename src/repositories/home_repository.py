"""The home timeline in PostgreSQL: top-level posts of the reader and of those who are followed, the
newest first. There is no table of copies: it is put together when it is read.

Two statements look for the same rows. Which one costs less depends on how many are followed and how
much they write; `services/home_service.py` chooses.
"""

from typing import LiteralString

from dto.post_dto import HomeFilter, Post
from repositories.post_rows import (
    AUTHOR_COLUMNS,
    JOIN_AUTHORS,
    NOT_HIDDEN,
    POST_COLUMNS,
    READER_COLUMNS,
    with_author,
)
from repositories.sql import fetch_all

# The posts whose ids a statement has `found`, as the reader sees them.
SELECT_FOUND: LiteralString = f"SELECT {POST_COLUMNS}, {READER_COLUMNS}, {AUTHOR_COLUMNS}"
JOIN_FOUND: LiteralString = f"""
    CROSS JOIN LATERAL (
        SELECT id, text, reply_to_id, created_at, edited_at, likes_count, views_count,
               replies_count, user_id
        FROM posts
        WHERE id = found.id
        LIMIT 1
    ) p
    {JOIN_AUTHORS}
    ORDER BY p.id DESC
"""


def get_from_authors(dto: HomeFilter) -> list[Post]:
    """One index probe for each author finds their newest post. The page is then among the posts of
    those authors who wrote last, as many as the page has rows. The cost grows with the number of
    authors, however little they write."""
    reader_id, after_id, limit = dto["user_id"], dto["after_id"], dto["limit"]
    rows = fetch_all(
        f"""
        {SELECT_FOUND}
        FROM (
            SELECT written.id
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
                SELECT id
                FROM posts
                WHERE user_id = last.user_id AND reply_to_id IS NULL AND deleted_at IS NULL
                  AND id < coalesce(%s, 9223372036854775807)
                ORDER BY id DESC
                -- Were the number seen by the planner, it might sort all posts of an author.
                LIMIT (SELECT %s::bigint)
            ) written
            ORDER BY written.id DESC
            LIMIT %s
        ) found
        {JOIN_FOUND}
        """,
        (
            *(reader_id, reader_id, reader_id, reader_id, after_id, reader_id, limit),
            *(after_id, limit, limit),
        ),
        may_lag=True,
    )
    return [with_author(row) for row in rows]


def get_from_feed(dto: HomeFilter) -> list[Post]:
    """Walks down the feed of all until the page is full, or until it has seen three posts for each
    author that the reader follows, or 20,000. Its cost hardly depends on the number of authors; but
    it may find less than there is."""
    reader_id = dto["user_id"]
    rows = fetch_all(
        f"""
        {SELECT_FOUND}
        FROM (
            SELECT id
            FROM (
                SELECT id, user_id
                FROM (
                    SELECT id, user_id
                    FROM posts
                    WHERE reply_to_id IS NULL AND deleted_at IS NULL
                      AND id < coalesce(%s, 9223372036854775807)
                    ORDER BY id DESC
                    LIMIT 20000
                ) newest
                ORDER BY id DESC
                LIMIT (SELECT 3 * following_count FROM users WHERE id = %s)
            ) walked
            WHERE {NOT_HIDDEN}
              -- Beside an OR, PostgreSQL makes a hash table of the ids, and keeps the feed's order.
              AND (
                  user_id = %s
                  OR user_id IN (SELECT followed_id FROM follows WHERE follower_id = %s)
              )
            ORDER BY id DESC
            LIMIT %s
        ) found
        {JOIN_FOUND}
        """,
        (
            *(reader_id, reader_id, dto["after_id"], reader_id, reader_id, reader_id, reader_id),
            dto["limit"],
        ),
        may_lag=True,
    )
    return [with_author(row) for row in rows]
