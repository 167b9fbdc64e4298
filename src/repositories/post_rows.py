"""What every statement that reads posts selects, and the shape in which a post leaves it."""

from typing import Any, LiteralString

POST_COLUMNS: LiteralString = """
    p.id, p.text, p.reply_to_id, p.created_at, p.edited_at,
    p.likes_count, p.views_count, p.replies_count
"""
# The names of a deleted user are `deleted`: they were erased in the row itself.
AUTHOR_COLUMNS: LiteralString = "u.id AS user_id, u.user_name, u.first_name, u.last_name"
# A scalar sub-select is one index probe for each post. With EXISTS, the planner may read all likes
# of the reader instead.
READER_COLUMNS: LiteralString = """
    (SELECT count(*) > 0 FROM likes l WHERE l.user_id = %s AND l.post_id = p.id) AS user_liked,
    (SELECT count(*) > 0 FROM views v WHERE v.user_id = %s AND v.post_id = p.id) AS user_viewed
"""
# The author of each post of a page `p`. LATERAL with a LIMIT: the work is that of the page's rows,
# whatever the planner thinks of the tables.
JOIN_AUTHORS: LiteralString = """
    CROSS JOIN LATERAL (
        SELECT id, user_name, first_name, last_name
        FROM users
        WHERE id = p.user_id
        LIMIT 1
    ) u
"""
# Each has the reader's id as its parameter. An array is made once for the whole statement.
NOT_BLOCKED: LiteralString = "user_id <> ALL (ARRAY(SELECT b.user_id FROM blocked_with(%s) b))"
NOT_HIDDEN: LiteralString = "user_id <> ALL (ARRAY(SELECT h.user_id FROM hidden_from(%s) h))"
# 100 posts, and the one by which the controller sees that another page follows.
MAX_PAGE: LiteralString = "LIMIT 101"


def with_author(row: dict[str, Any]) -> Any:
    """Moves the author's columns, if the row has them, under `user`."""
    if "user_name" in row:
        row["user"] = {
            "id": row.pop("user_id"),
            "user_name": row.pop("user_name"),
            "first_name": row.pop("first_name"),
            "last_name": row.pop("last_name"),
        }
    return row
