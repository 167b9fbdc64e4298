"""Notifications in PostgreSQL. Triggers make them, in the transaction of what they tell:
`migrations/0009_notifications.sql`."""

from typing import LiteralString

from dto.notification_dto import Notification, Unread
from repositories.sql import execute, fetch_all, fetch_one

# Of one reader: whose rows they are, and from whom they want to hear.
SHOWN: LiteralString = """
    user_id = %s
    AND NOT is_taken_back
    AND actor_id NOT IN (SELECT h.user_id FROM hidden_from(%s) h)
"""
NEWEST = 2**63 - 1
# Of a notification `n`, whose reader is `reader`, and `u` who did it.
NOTIFICATION_COLUMNS: LiteralString = """
    n.id, n.kind, n.created_at, n.id <= reader.read_notification_id AS read,
    json_build_object(
        'id', u.id,
        'user_name', u.user_name,
        'first_name', u.first_name,
        'last_name', u.last_name
    ) AS user,
    n.post_id
"""


def get_notifications(
    user_id: int, after_id: int | None, limit: int, offset: int
) -> list[Notification]:
    """The newest first, from the one after `after_id` on. The page is picked first, so only the
    people in its rows are read."""
    return fetch_all(
        f"""
        SELECT {NOTIFICATION_COLUMNS}
        FROM (
            SELECT id, user_id, actor_id, kind, post_id, created_at
            FROM notifications
            WHERE {SHOWN} AND id < %s
            ORDER BY id DESC
            OFFSET %s
            LIMIT %s
        ) n
        JOIN users reader ON reader.id = n.user_id
        JOIN users u ON u.id = n.actor_id
        ORDER BY n.id DESC
        """,
        (user_id, user_id, NEWEST if after_id is None else after_id, offset, limit),
    )


def count_unread(user_id: int) -> Unread:
    """Reads the unread ones alone."""
    return fetch_one(
        f"""
        SELECT count(*) AS count
        FROM notifications
        WHERE {SHOWN} AND id > (SELECT read_notification_id FROM users WHERE id = %s)
        """,
        (user_id, user_id, user_id),
    )


def mark_read(user_id: int, up_to_id: int) -> None:
    """Never back, and never past the newest that there is: the next one is unread."""
    execute(
        """
        UPDATE users
        SET read_notification_id = greatest(
            read_notification_id,
            (SELECT max(n.id) FROM notifications n WHERE n.user_id = %s AND n.id <= %s)
        )
        WHERE id = %s
        """,
        (user_id, up_to_id, user_id),
    )
