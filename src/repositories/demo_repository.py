"""Bulk load of the demo by COPY: without the triggers, constraints and indexes, which are restored
afterwards."""

from collections.abc import Iterable
from datetime import datetime

from psycopg.errors import UniqueViolation
from typing_extensions import TypedDict

from repositories.sql import Conn, copy_in, execute, fetch_one
from utils.errors import Conflict


class LastPost(TypedDict):
    """The highest id that was ever given, 0 for none, and the time of the newest post."""

    id: int
    created_at: datetime | None


def is_empty() -> bool:
    """Whether there is no user and no post."""
    row = fetch_one("SELECT EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM posts) AS used")
    return not row["used"]


def lift_time_limits(conn: Conn) -> None:
    """For this transaction. They are meant for requests; a bulk load takes longer."""
    execute(
        """
        SELECT set_config('statement_timeout', '0', true),
               set_config('idle_in_transaction_session_timeout', '0', true),
               set_config('maintenance_work_mem', '256MB', true),
               set_config('work_mem', '128MB', true)
        """,
        (),
        conn,
    )


def drop_constraints_and_indexes(conn: Conn) -> None:
    """Of all tables that are filled but users; primary keys stay where rows come in their order.
    The triggers are disabled. Call `restore_constraints_and_indexes` in the same transaction. To
    build an index for all rows at once takes a tenth of the time. Other sessions cannot read or
    write these tables meanwhile."""
    execute(
        """
        DO $$
        DECLARE
            tables regclass[] :=
                ARRAY['posts', 'likes', 'views', 'follows', 'notifications']::regclass[];
            item record;
        BEGIN
            LOCK TABLE notifications, follows, likes, views, posts, users IN ACCESS EXCLUSIVE MODE;
            ALTER TABLE posts DISABLE TRIGGER USER;
            ALTER TABLE likes DISABLE TRIGGER USER;
            ALTER TABLE views DISABLE TRIGGER USER;
            ALTER TABLE follows DISABLE TRIGGER USER;
            ALTER TABLE notifications DISABLE TRIGGER USER;

            CREATE TEMPORARY TABLE dropped (drop_sql text, create_sql text) ON COMMIT DROP;
            INSERT INTO dropped
            SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
                   format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s',
                          conrelid::regclass, conname, pg_get_constraintdef(oid))
            FROM pg_constraint
            WHERE conrelid = ANY (tables)
              AND (contype IN ('f', 'u') OR contype = 'p' AND conrelid = 'notifications'::regclass)
            UNION ALL
            SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
            FROM pg_index
            WHERE indrelid = ANY (tables)
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid);
            FOR item IN SELECT drop_sql FROM dropped LOOP
                EXECUTE item.drop_sql;
            END LOOP;
        END $$
        """,
        (),
        conn,
    )


def restore_constraints_and_indexes(conn: Conn) -> None:
    """As they were. PostgreSQL checks that all rows fulfil them."""
    execute(
        """
        DO $$
        DECLARE
            item record;
        BEGIN
            FOR item IN SELECT create_sql FROM dropped LOOP
                EXECUTE item.create_sql;
            END LOOP;
            ALTER TABLE posts ENABLE TRIGGER USER;
            ALTER TABLE likes ENABLE TRIGGER USER;
            ALTER TABLE views ENABLE TRIGGER USER;
            ALTER TABLE follows ENABLE TRIGGER USER;
            ALTER TABLE notifications ENABLE TRIGGER USER;
        END $$
        """,
        (),
        conn,
    )


def get_last_user_id(conn: Conn) -> int:
    """The highest id that was ever given; 0 for none."""
    row = fetch_one(
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM users_id_seq", (), conn
    )
    return row["id"]


def get_last_post(conn: Conn) -> LastPost:
    return fetch_one(
        """
        SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id,
               (SELECT max(created_at) FROM posts) AS created_at
        FROM posts_id_seq
        """,
        (),
        conn,
    )


def get_last_follow_id(conn: Conn) -> int:
    """The highest id that was ever given; 0 for none."""
    row = fetch_one(
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM follows_id_seq", (), conn
    )
    return row["id"]


def set_sequences(last_user_id: int, last_post_id: int, last_follow_id: int, conn: Conn) -> None:
    """The next user, post and follow get the ids after these."""
    execute(
        """
        SELECT setval('users_id_seq', greatest(%s, 1), %s > 0),
               setval('posts_id_seq', greatest(%s, 1), %s > 0),
               setval('follows_id_seq', greatest(%s, 1), %s > 0)
        """,
        (last_user_id, last_user_id, last_post_id, last_post_id, last_follow_id, last_follow_id),
        conn,
    )


def copy_users(rows: Iterable[str], conn: Conn) -> None:
    """Raises Conflict when a member has one of the names."""
    try:
        copy_in(
            """
            COPY users (id, user_name, first_name, last_name, password_hash, created_at,
                        followers_count, following_count)
            FROM STDIN
            """,
            rows,
            conn,
        )
    except UniqueViolation as error:  # idx__users__user_name
        raise Conflict("A member has the name of a demo user, demo_ and a number") from error


def copy_posts(rows: Iterable[str], conn: Conn) -> None:
    copy_in(
        """
        COPY posts (id, text, reply_to_id, user_id, likes_count, views_count, replies_count,
                    created_at)
        FROM STDIN
        """,
        rows,
        conn,
    )


def copy_likes(rows: Iterable[str], conn: Conn) -> None:
    copy_in("COPY likes (user_id, post_id, created_at) FROM STDIN", rows, conn)


def copy_views(rows: Iterable[str], conn: Conn) -> None:
    copy_in("COPY views (user_id, post_id, created_at) FROM STDIN", rows, conn)


def copy_follows(rows: Iterable[str], conn: Conn) -> None:
    copy_in("COPY follows (id, follower_id, followed_id, created_at) FROM STDIN", rows, conn)


def insert_notifications(last_post_id: int, last_follow_id: int, conn: Conn) -> None:
    """Of all that is newer than these: what the triggers of `migrations/0009_notifications.sql`
    would have told, in the order of time."""
    execute(
        """
        INSERT INTO notifications (user_id, actor_id, kind, post_id, created_at)
        SELECT told_id, actor_id, kind, post_id, created_at
        FROM (
            SELECT followed_id AS told_id, follower_id AS actor_id, 'follow' AS kind,
                   NULL::bigint AS post_id, created_at
            FROM follows
            WHERE id > %s
            UNION ALL
            SELECT answered.user_id, p.user_id, 'answer', p.id, p.created_at
            FROM posts p
            JOIN posts answered ON answered.id = p.reply_to_id
            WHERE p.id > %s
            UNION ALL
            SELECT p.user_id, l.user_id, 'like', p.id, l.created_at
            FROM likes l
            JOIN posts p ON p.id = l.post_id
            WHERE p.id > %s
            UNION ALL
            SELECT u.id, p.user_id, 'mention', p.id, p.created_at
            FROM posts p
            CROSS JOIN LATERAL mentioned_names(p.text) m
            JOIN users u ON u.user_name = m.user_name
            LEFT JOIN posts answered ON answered.id = p.reply_to_id
            WHERE p.id > %s AND p.text LIKE '%%@%%' AND u.id IS DISTINCT FROM answered.user_id
        ) event
        WHERE told_id <> actor_id
        ORDER BY created_at, post_id, actor_id, told_id, kind
        """,
        (last_follow_id, last_post_id, last_post_id, last_post_id),
        conn,
    )


def analyze(conn: Conn) -> None:
    """New statistics for the planner: the old ones are of empty tables."""
    execute("ANALYZE users, posts, likes, views, follows, notifications", (), conn)
