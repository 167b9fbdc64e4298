"""Whether the data agree with themselves: after any fault, nothing may be half done."""

from typing import Any

from cluster import Database
from shop import eventually

# What must not exist, each with the statement that counts it.
CONTRADICTIONS = {
    "posts whose likes are miscounted": """
        SELECT count(*) AS n FROM posts p
        WHERE likes_count <> (SELECT count(*) FROM likes WHERE post_id = p.id)
    """,
    "posts whose views are miscounted": """
        SELECT count(*) AS n FROM posts p
        WHERE views_count <> (SELECT count(*) FROM views WHERE post_id = p.id)
    """,
    "posts whose replies are miscounted": """
        SELECT count(*) AS n FROM posts p
        WHERE replies_count <> (
            SELECT count(*) FROM posts WHERE reply_to_id = p.id AND deleted_at IS NULL
        )
    """,
    "users whose followers are miscounted": """
        SELECT count(*) AS n FROM users u
        WHERE followers_count <> (SELECT count(*) FROM follows WHERE followed_id = u.id)
    """,
    "users whom they follow are miscounted": """
        SELECT count(*) AS n FROM users u
        WHERE following_count <> (SELECT count(*) FROM follows WHERE follower_id = u.id)
    """,
    "notifications of a post that is gone": """
        SELECT count(*) AS n FROM notifications n
        JOIN posts p ON p.id = n.post_id
        WHERE p.deleted_at IS NOT NULL
    """,
    "orders without items, or with another total": """
        SELECT count(*) AS n FROM orders o
        WHERE total_price IS DISTINCT FROM (
            SELECT sum(price * quantity) FROM order_items WHERE order_id = o.id
        )
    """,
    "orders without their one event": """
        SELECT count(*) AS n FROM orders o
        WHERE 1 <> (SELECT count(*) FROM outbox WHERE payload ->> 'order_id' = o.id::text)
    """,
    "events without their order": """
        SELECT count(*) AS n FROM outbox b
        WHERE NOT EXISTS (SELECT FROM orders WHERE id::text = b.payload ->> 'order_id')
    """,
    "users without a session, who were made by registering": """
        SELECT count(*) AS n FROM users u
        WHERE NOT EXISTS (SELECT FROM sessions WHERE user_id = u.id)
    """,
}
UNHANDLED = """
    SELECT count(*) AS n FROM orders o
    WHERE 1 <> (SELECT count(*) FROM order_events WHERE order_id = o.id)
"""


def contradictions(conn: Any) -> dict[str, int]:
    """What is half done, and how often; empty when all agrees. `conn` gives rows as dicts."""
    found = {name: conn.execute(query).fetchone()["n"] for name, query in CONTRADICTIONS.items()}
    return {name: n for name, n in found.items() if n}


def unhandled(conn: Any) -> int:
    """Orders whose event was not handled, or not once."""
    return conn.execute(UNHANDLED).fetchone()["n"]


def assert_balanced(database: Database) -> None:
    """Nothing is half done, and each event is handled once, soon."""
    with database.connect() as conn:
        assert contradictions(conn) == {}
        assert eventually(lambda: unhandled(conn) == 0)
