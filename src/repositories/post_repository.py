"""Posts, likes and views in PostgreSQL. Triggers keep the counters of a post exact."""

from typing import Any, LiteralString

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from dto.post_dto import NewPost, Post, PostFilter
from repositories.post_rows import (
    AUTHOR_COLUMNS,
    JOIN_AUTHORS,
    MAX_PAGE,
    NOT_BLOCKED,
    NOT_HIDDEN,
    POST_COLUMNS,
    READER_COLUMNS,
    with_author,
)
from repositories.search import SCANNED_ROWS, like_pattern, scans_feed
from repositories.sql import Conn, execute, fetch_all, fetch_one
from utils.errors import Conflict, NotFound


def create_post(dto: NewPost, conn: Conn | None = None) -> Post:
    """Raises NotFound when the post that it answers does not exist, is deleted, or is by somebody
    blocked."""
    try:
        row = fetch_one(
            f"""
            WITH p AS (
                INSERT INTO posts (text, user_id, reply_to_id)
                VALUES (%s, %s, %s)
                RETURNING id, text, user_id, reply_to_id, created_at, edited_at,
                          likes_count, views_count, replies_count
            )
            SELECT {POST_COLUMNS}, false AS user_liked, false AS user_viewed, {AUTHOR_COLUMNS}
            FROM p
            JOIN users u ON u.id = p.user_id
            """,
            (dto["text"], dto["user_id"], dto.get("reply_to_id")),
            conn,
        )
    except ForeignKeyViolation as error:
        raise NotFound("Post not found", code="post_not_found") from error
    return with_author(row)


def get_all_posts(dto: PostFilter) -> list[Post]:
    """A page for one reader: top-level posts, the newest first, or the replies to one post, the
    oldest first. Who is blocked or muted is left out; a muted author that is asked for by
    `owner_id` is not.

    The page is picked first, so that the rest of the work is that of its rows. A page never has
    more rows than MAX_PAGE: saying so lets PostgreSQL see that one plan fits all pages, and plan
    once. With an offset that would not be true, and a search is planned for its own words. A
    search of the whole feed that no index can answer looks at so many of its posts: see
    `get_end_of_scan`.
    """
    reader_id = dto["user_id"]
    reply_to_id, owner_id = dto.get("reply_to_id"), dto.get("owner_id")
    after_id, search = dto.get("after_id"), dto.get("search")
    scans = scans_feed(dto)
    order: LiteralString = "id" if reply_to_id else "id DESC"
    bound: LiteralString = f"LIMIT {SCANNED_ROWS}" if scans else ""
    if not (search or dto["offset"]):
        bound = MAX_PAGE
    conditions: list[LiteralString] = ["deleted_at IS NULL"]
    params: list[Any] = []
    found: list[LiteralString] = ["true"]
    found_params: list[Any] = []
    # What is looked at by a scan must not depend on what is looked for.
    tests, test_params = (found, found_params) if scans else (conditions, params)

    tests.append(NOT_BLOCKED if owner_id else NOT_HIDDEN)
    test_params.append(reader_id)
    if reply_to_id:
        conditions.append(f"reply_to_id = (SELECT id FROM posts WHERE id = %s AND {NOT_BLOCKED})")
        params += [reply_to_id, reader_id]
    else:
        conditions.append("reply_to_id IS NULL")
    if owner_id:
        # A sub-select hides whose posts are asked for from the planner. Of somebody who wrote much
        # and deleted it, it would expect to meet a page soon, and walk through the whole feed.
        conditions.append("user_id = (SELECT %s::bigint)")
        params.append(owner_id)
    if search:
        tests.append("text ILIKE %s")
        test_params.append(like_pattern(search))
    if after_id is not None:
        conditions.append("id > %s" if reply_to_id else "id < %s")
        params.append(after_id)

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
                WHERE {" AND ".join(conditions)}
                ORDER BY {order}
                {bound}
            ) matching
            WHERE {" AND ".join(found)}
            ORDER BY {order}
            OFFSET %s
            LIMIT %s
        ) p
        {JOIN_AUTHORS}
        ORDER BY p.{order}
        """,
        (reader_id, reader_id, *params, *found_params, dto["offset"], dto["limit"]),
        prepare=False if search else None,
        may_lag=True,
    )
    return [with_author(row) for row in rows]


def get_end_of_scan(after_id: int | None) -> int | None:
    """The id of the last post that a search of the whole feed without an index looks at; None when
    it comes to the feed's end."""
    row = fetch_one(
        f"""
        SELECT id
        FROM posts
        WHERE deleted_at IS NULL AND reply_to_id IS NULL
          AND id < coalesce(%s, 9223372036854775807)
        ORDER BY id DESC
        OFFSET {SCANNED_ROWS} - 1
        LIMIT 1
        """,
        (after_id,),
    )
    return row["id"] if row else None


def get_post_by_id(post_id: int, user_id: int) -> Post:
    """As `user_id` sees it. Raises NotFound, also for a post of somebody blocked."""
    row = fetch_one(
        f"""
        SELECT {POST_COLUMNS}, {AUTHOR_COLUMNS},
               (SELECT count(*) > 0 FROM likes l WHERE l.user_id = reader.id AND l.post_id = p.id)
                   AS user_liked,
               (SELECT count(*) > 0 FROM views v WHERE v.user_id = reader.id AND v.post_id = p.id)
                   AS user_viewed
        FROM (SELECT %s::bigint AS id) reader
        JOIN posts p ON p.{NOT_BLOCKED}
        JOIN users u ON u.id = p.user_id
        WHERE p.id = %s AND p.deleted_at IS NULL
        """,
        (user_id, user_id, post_id),
        may_lag=True,
    )
    if row is None:
        raise NotFound("Post not found", code="post_not_found")
    return with_author(row)


def delete_post(post_id: int, owner_id: int) -> None:
    """Soft delete. Raises NotFound, also for another user's post."""
    deleted = execute(
        """
        UPDATE posts
        SET deleted_at = now()
        WHERE id = %s AND user_id = %s AND deleted_at IS NULL
        """,
        (post_id, owner_id),
    )
    if deleted == 0:
        raise NotFound("Post not found or already deleted", code="post_not_found")


def delete_any_post(post_id: int, conn: Conn | None = None) -> None:
    """Soft delete of any user's post. Raises NotFound."""
    deleted = execute(
        "UPDATE posts SET deleted_at = now() WHERE id = %s AND deleted_at IS NULL",
        (post_id,),
        conn,
    )
    if deleted == 0:
        raise NotFound("Post not found or already deleted", code="post_not_found")


def erase_posts(user_id: int, limit: int) -> int:
    """Deletes up to `limit` posts of this user with their texts, and the texts of posts that were
    deleted before. Returns their number; 0 when there are no more."""
    return execute(
        """
        UPDATE posts
        SET text = 'deleted', deleted_at = coalesce(deleted_at, now())
        WHERE id IN (
            SELECT id
            FROM posts
            WHERE user_id = %s AND (deleted_at IS NULL OR text <> 'deleted')
            ORDER BY id
            LIMIT %s
        )
        """,
        (user_id, limit),
    )


def view_post(post_id: int, user_id: int, conn: Conn | None = None) -> None:
    """Raises NotFound, and Conflict when the user has viewed it already."""
    try:
        viewed = execute(
            """
            INSERT INTO views (post_id, user_id)
            SELECT p.id, wanted.user_id
            FROM (VALUES (%s::bigint, %s::bigint)) AS wanted (post_id, user_id)
            JOIN posts p ON p.id = wanted.post_id AND p.deleted_at IS NULL
            WHERE p.user_id NOT IN (SELECT b.user_id FROM blocked_with(wanted.user_id) b)
            """,
            (post_id, user_id),
            conn,
        )
    except UniqueViolation as error:
        raise Conflict("Post already viewed", code="post_already_viewed") from error
    except ForeignKeyViolation as error:
        raise NotFound("Post not found", code="post_not_found") from error
    if viewed == 0:
        raise NotFound("Post not found", code="post_not_found")


def like_post(post_id: int, user_id: int, conn: Conn | None = None) -> None:
    """Raises NotFound, and Conflict when the user likes it already."""
    try:
        liked = execute(
            """
            INSERT INTO likes (post_id, user_id)
            SELECT p.id, wanted.user_id
            FROM (VALUES (%s::bigint, %s::bigint)) AS wanted (post_id, user_id)
            JOIN posts p ON p.id = wanted.post_id AND p.deleted_at IS NULL
            WHERE p.user_id NOT IN (SELECT b.user_id FROM blocked_with(wanted.user_id) b)
            """,
            (post_id, user_id),
            conn,
        )
    except UniqueViolation as error:
        raise Conflict("Post already liked", code="post_already_liked") from error
    except ForeignKeyViolation as error:
        raise NotFound("Post not found", code="post_not_found") from error
    if liked == 0:
        raise NotFound("Post not found", code="post_not_found")


def dislike_post(post_id: int, user_id: int) -> None:
    """Raises NotFound when the post does not exist or the user does not like it."""
    disliked = execute(
        """
        DELETE FROM likes
        WHERE post_id = %s AND user_id = %s
          AND EXISTS (
              SELECT
              FROM posts p
              WHERE p.id = post_id AND p.deleted_at IS NULL
                AND p.user_id NOT IN (SELECT b.user_id FROM blocked_with(likes.user_id) b)
          )
        """,
        (post_id, user_id),
    )
    if disliked == 0:
        raise NotFound("Post not found", code="post_not_found")
