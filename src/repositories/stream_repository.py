"""The events of the live stream in PostgreSQL, and who may see them. Triggers write them:
`migrations/0012_stream.sql` says how their order is kept."""

from typing import Any, LiteralString

from typing_extensions import TypedDict

from dto.post_dto import Post
from repositories.notification_repository import NOTIFICATION_COLUMNS
from repositories.post_rows import AUTHOR_COLUMNS, JOIN_AUTHORS, POST_COLUMNS, with_author
from repositories.sql import Conn, execute, fetch_all, fetch_one

# The transaction of an event, and its number: the order of the stream.
Position = tuple[int, int]

# A transaction may have begun some minutes before others see what it wrote.
KEPT_MINUTES = 65
SWEPT_ROWS = 50_000
# Every transaction before this one has ended. Numbers of transactions are larger than any type of
# the driver's, so they come as text.
NOW: LiteralString = """
    SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon,
           extract(epoch FROM now())::bigint AS seconds
"""
EVENT_COLUMNS: LiteralString = """
    n.horizon::text AS horizon, n.seconds, e.xact_id::text AS xact_id, e.id, e.kind, e.user_id,
    e.object_id, e.created_at < now() - interval '1 hour' AS is_old
"""


class Moment(TypedDict):
    """`horizon`: all transactions before this one have ended. `seconds`: the database's clock."""

    horizon: int
    seconds: int


class EventRow(TypedDict):
    """`user_id`: the author of a post, or who is told. `object_id`: the post or notification."""

    position: Position
    kind: str
    user_id: int
    object_id: int | None
    is_old: bool


class Page(TypedDict):
    """What comes next, and the position up to which everything was read. `is_rewound`: PostgreSQL
    is not as far as the position from which it was asked; it has become another one."""

    events: list[EventRow]
    end: Position
    seconds: int
    is_rewound: bool


class Viewer(TypedDict):
    """Somebody in whose home timeline a post is, or was until it was deleted."""

    post_id: int
    reader_id: int
    is_deleted: bool
    user_liked: bool
    user_viewed: bool


def get_moment() -> Moment:
    """Where a stream that resumes nothing begins."""
    row = fetch_one(f"SELECT n.horizon::text AS horizon, n.seconds FROM ({NOW}) n")
    return {"horizon": int(row["horizon"]), "seconds": row["seconds"]}


def get_events(after: Position, limit: int) -> Page:
    """Everybody's, in the order of the stream."""
    rows = fetch_all(
        f"""
        SELECT {EVENT_COLUMNS}
        FROM ({NOW}) n
        LEFT JOIN LATERAL (
            SELECT xact_id, id, kind, user_id, object_id, created_at
            FROM stream_events
            WHERE (xact_id, id) > (%s::xid8, %s) AND xact_id < n.horizon
            ORDER BY xact_id, id
            LIMIT %s
        ) e ON true
        ORDER BY e.xact_id, e.id
        """,
        (str(after[0]), after[1], limit),
    )
    return _page(rows, after, limit)


def get_events_of(user_id: int, after: Position, limit: int) -> Page:
    """The same of those alone whom the reader follows, and what the reader is told. Deletions are
    everybody's: an account that leaves deletes its posts, and then nobody follows it."""
    rows = fetch_all(
        f"""
        SELECT {EVENT_COLUMNS}
        FROM ({NOW}) n
        LEFT JOIN LATERAL (
            SELECT s.xact_id, s.id, s.kind, s.user_id, s.object_id, s.created_at
            FROM stream_events s
            WHERE (s.xact_id, s.id) > (%s::xid8, %s) AND s.xact_id < n.horizon
              AND (
                  s.user_id = %s
                  OR s.kind = 'post_deleted'
                  OR (
                      s.kind IN ('post', 'post_edited')
                      AND s.user_id IN (SELECT followed_id FROM follows WHERE follower_id = %s)
                  )
              )
            ORDER BY s.xact_id, s.id
            LIMIT %s
        ) e ON true
        ORDER BY e.xact_id, e.id
        """,
        (str(after[0]), after[1], user_id, user_id, limit),
    )
    return _page(rows, after, limit)


def _page(rows: list[dict[str, Any]], after: Position, limit: int) -> Page:
    events: list[EventRow] = [
        {
            "position": (int(row["xact_id"]), row["id"]),
            "kind": row["kind"],
            "user_id": row["user_id"],
            "object_id": row["object_id"],
            "is_old": row["is_old"],
        }
        for row in rows
        if row["xact_id"] is not None
    ]
    now = int(rows[0]["horizon"]), 0
    return {
        "events": events,
        "end": events[-1]["position"] if len(events) == limit else now,
        "seconds": rows[0]["seconds"],
        "is_rewound": now[0] < after[0],
    }


def get_posts(post_ids: list[int]) -> list[Post]:
    """Without what only their readers know. Deleted ones are left out."""
    rows = fetch_all(
        f"""
        SELECT {POST_COLUMNS}, false AS user_liked, false AS user_viewed, {AUTHOR_COLUMNS}
        FROM posts p
        {JOIN_AUTHORS}
        WHERE p.id = ANY(%s) AND p.deleted_at IS NULL
        ORDER BY p.id
        """,
        (post_ids,),
    )
    return [with_author(row) for row in rows]


def get_viewers(post_ids: list[int], reader_ids: list[int]) -> list[Viewer]:
    """Who of the readers would find which of the posts at home: authors and their followers, but
    nobody who mutes the author or is blocked with them. A post whose author has left had followers
    that nobody knows any more: all readers are told that it is deleted."""
    return fetch_all(
        """
        SELECT p.id AS post_id, r.user_id AS reader_id, p.deleted_at IS NOT NULL AS is_deleted,
               (SELECT count(*) > 0 FROM likes l WHERE l.user_id = r.user_id AND l.post_id = p.id)
                   AS user_liked,
               (SELECT count(*) > 0 FROM views v WHERE v.user_id = r.user_id AND v.post_id = p.id)
                   AS user_viewed
        FROM posts p
        JOIN users author ON author.id = p.user_id
        CROSS JOIN LATERAL (
            SELECT f.follower_id AS user_id
            FROM follows f
            WHERE f.followed_id = p.user_id AND f.follower_id = ANY(%s)
            UNION
            SELECT reader.id
            FROM unnest(%s::bigint[]) reader (id)
            WHERE reader.id = p.user_id
               OR (p.deleted_at IS NOT NULL AND author.deleted_at IS NOT NULL)
        ) r
        WHERE p.id = ANY(%s)
          AND NOT EXISTS (
              SELECT FROM mutes m WHERE m.muter_id = r.user_id AND m.muted_id = p.user_id
          )
          AND NOT EXISTS (
              SELECT FROM blocks b
              WHERE (b.blocker_id = r.user_id AND b.blocked_id = p.user_id)
                 OR (b.blocker_id = p.user_id AND b.blocked_id = r.user_id)
          )
        ORDER BY p.id, r.user_id
        """,
        (reader_ids, reader_ids, post_ids),
    )


def get_notifications(user_ids: list[int], ids: list[int]) -> list[dict[str, Any]]:
    """Those of `ids` that these users are shown, with `reader_id`."""
    return fetch_all(
        f"""
        SELECT n.user_id AS reader_id, {NOTIFICATION_COLUMNS}
        FROM notifications n
        JOIN users reader ON reader.id = n.user_id
        JOIN users u ON u.id = n.actor_id
        WHERE n.user_id = ANY(%s) AND n.id = ANY(%s)
          AND NOT n.is_taken_back
          AND n.actor_id NOT IN (SELECT h.user_id FROM hidden_from(n.user_id) h)
        ORDER BY n.id
        """,
        (user_ids, ids),
    )


def count_unread(user_ids: list[int]) -> dict[int, int]:
    """By user: what `notification_repository.count_unread` counts."""
    rows = fetch_all(
        """
        SELECT u.id, n.count
        FROM users u
        CROSS JOIN LATERAL (
            SELECT count(*) AS count
            FROM notifications
            WHERE user_id = u.id AND id > u.read_notification_id AND NOT is_taken_back
              AND actor_id NOT IN (SELECT h.user_id FROM hidden_from(u.id) h)
        ) n
        WHERE u.id = ANY(%s)
        ORDER BY u.id
        """,
        (user_ids,),
    )
    return {row["id"]: row["count"] for row in rows}


def get_living_sessions(session_ids: list[str]) -> set[str]:
    """Those of the sessions that are not over, and whose users are active and may read posts."""
    rows = fetch_all(
        """
        WITH readers AS (
            SELECT rp.role_id
            FROM role_permissions rp
            JOIN permissions p ON p.id = rp.permission_id
            WHERE p.resource = 'post' AND p.action = 'read'
        )
        SELECT s.id::text AS id
        FROM sessions s
        JOIN users u ON u.id = s.user_id
        WHERE s.id = ANY(%s::uuid[]) AND s.ended_at IS NULL AND s.expires_at > now()
          AND u.status = 1 AND u.deleted_at IS NULL
          AND (
              u.is_superuser
              OR EXISTS (
                  SELECT FROM roles r JOIN readers ON readers.role_id = r.id
                  WHERE r.name IN ('guest', 'user')
              )
              OR EXISTS (
                  SELECT FROM user_roles ur JOIN readers USING (role_id) WHERE ur.user_id = u.id
              )
          )
        ORDER BY s.id
        """,
        (session_ids,),
    )
    return {row["id"] for row in rows}


def delete_old_events(conn: Conn) -> int:
    """The oldest of those that no stream can ask for any more; returns their number."""
    return execute(
        """
        DELETE FROM stream_events
        WHERE (xact_id, id) IN (
            SELECT xact_id, id
            FROM stream_events
            ORDER BY xact_id, id
            LIMIT %s
        ) AND created_at < now() - make_interval(mins => %s)
        """,
        (SWEPT_ROWS, KEPT_MINUTES),
        conn,
    )
