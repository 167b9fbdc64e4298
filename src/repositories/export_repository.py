"""What one user wrote and did, in pages, each ordered by the id that it goes on from."""

from typing import Any

from repositories.sql import fetch_all


def get_posts(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """Replies and deleted posts too."""
    return fetch_all(
        """
        SELECT id, text, reply_to_id, created_at, edited_at, deleted_at
        FROM posts
        WHERE user_id = %s AND id > %s
        ORDER BY id
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )


def get_earlier_texts(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """What these posts said before they were edited."""
    return fetch_all(
        """
        SELECT t.id, t.post_id, t.text, t.written_at
        FROM posts p
        JOIN post_texts t ON t.post_id = p.id
        WHERE p.user_id = %s AND p.edited_at IS NOT NULL AND t.id > %s
        ORDER BY t.id
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )


def get_likes(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """`id` is the post's."""
    return fetch_all(
        """
        SELECT post_id AS id, created_at
        FROM likes
        WHERE user_id = %s AND post_id > %s
        ORDER BY post_id
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )


def get_views(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """`id` is the post's."""
    return fetch_all(
        """
        SELECT post_id AS id, created_at
        FROM views
        WHERE user_id = %s AND post_id > %s
        ORDER BY post_id
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )


def get_follows(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """Whom this user follows."""
    return fetch_all(
        """
        SELECT id, followed_id AS user_id, created_at
        FROM follows
        WHERE follower_id = %s AND id > %s
        ORDER BY id
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )


def get_mutes(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """Whom this user mutes."""
    return fetch_all(
        """
        SELECT id, muted_id AS user_id, created_at
        FROM mutes
        WHERE muter_id = %s AND id > %s
        ORDER BY id
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )


def get_blocks(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """Whom this user blocks."""
    return fetch_all(
        """
        SELECT id, blocked_id AS user_id, created_at
        FROM blocks
        WHERE blocker_id = %s AND id > %s
        ORDER BY id
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )


def get_orders(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """`id` is the order's number; clients know the order by `order_id`."""
    return fetch_all(
        """
        SELECT o.number AS id, o.id::text AS order_id, o.status, o.total_price, o.created_at,
               o.updated_at,
               (
                   SELECT json_agg(
                       json_build_object(
                           'product_id', i.product_id,
                           'name', i.name,
                           'price', i.price::text,
                           'quantity', i.quantity
                       )
                       ORDER BY i.position
                   )
                   FROM order_items i
                   WHERE i.order_id = o.id
               ) AS items
        FROM orders o
        WHERE o.user_id = %s AND o.number > %s
        ORDER BY o.number
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )


def get_reports(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """What this user told the moderators."""
    return fetch_all(
        """
        SELECT id, post_id, user_id, reason, comment, status, created_at
        FROM reports
        WHERE reporter_id = %s AND id > %s
        ORDER BY id
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )


def get_audit_entries(user_id: int, after_id: int, limit: int) -> list[dict[str, Any]]:
    """What this user changed as an administrator."""
    return fetch_all(
        """
        SELECT id, created_at, action, target, before, after
        FROM audit_log
        WHERE actor_id = %s AND id > %s
        ORDER BY id
        LIMIT %s
        """,
        (user_id, after_id, limit),
    )
