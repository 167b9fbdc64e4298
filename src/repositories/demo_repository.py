"""The demo's rows go in by COPY, with their counters, past all that looks at each single row."""

from collections.abc import Iterable
from datetime import datetime

from typing_extensions import TypedDict

from repositories.sql import Conn, copy_in, execute, fetch_one


class Ends(TypedDict):
    """Where a table's ids end, and its times."""

    last_id: int
    last_time: datetime | None


def is_empty() -> bool:
    """Whether nobody is here, and nothing was written."""
    row = fetch_one("SELECT EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM posts) AS used")
    return not row["used"]


def allow_hours(conn: Conn) -> None:
    """For this transaction: what is meant for requests does not bound a load."""
    execute(
        """
        SELECT set_config('statement_timeout', '0', true),
               set_config('idle_in_transaction_session_timeout', '0', true),
               set_config('maintenance_work_mem', '256MB', true)
        """,
        (),
        conn,
    )


def take_apart(conn: Conn) -> None:
    """Until `put_together`, in the same transaction: nothing counts, checks references or keeps
    an index but the primary keys. Done for all rows at once, these cost a tenth. Whoever else
    reads or writes these tables waits."""
    execute(
        """
        DO $$
        DECLARE
            tables regclass[] := ARRAY['posts', 'likes', 'views']::regclass[];
            part record;
        BEGIN
            LOCK TABLE likes, views, posts, users IN ACCESS EXCLUSIVE MODE;
            ALTER TABLE posts DISABLE TRIGGER USER;
            ALTER TABLE likes DISABLE TRIGGER USER;
            ALTER TABLE views DISABLE TRIGGER USER;

            CREATE TEMPORARY TABLE parts (remove text, make text) ON COMMIT DROP;
            INSERT INTO parts
            SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
                   format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s',
                          conrelid::regclass, conname, pg_get_constraintdef(oid))
            FROM pg_constraint
            WHERE contype = 'f' AND conrelid = ANY (tables)
            UNION ALL
            SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
            FROM pg_index
            WHERE indrelid = ANY (tables)
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid);
            FOR part IN SELECT remove FROM parts LOOP
                EXECUTE part.remove;
            END LOOP;
        END $$
        """,
        (),
        conn,
    )


def put_together(conn: Conn) -> None:
    """Makes again what `take_apart` removed; PostgreSQL checks that every row obeys it."""
    execute(
        """
        DO $$
        DECLARE
            part record;
        BEGIN
            FOR part IN SELECT make FROM parts LOOP
                EXECUTE part.make;
            END LOOP;
            ALTER TABLE posts ENABLE TRIGGER USER;
            ALTER TABLE likes ENABLE TRIGGER USER;
            ALTER TABLE views ENABLE TRIGGER USER;
        END $$
        """,
        (),
        conn,
    )


def user_ends(conn: Conn) -> Ends:
    return fetch_one(
        """
        SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last_id,
               (SELECT max(created_at) FROM users) AS last_time
        FROM users_id_seq
        """,
        (),
        conn,
    )


def post_ends(conn: Conn) -> Ends:
    return fetch_one(
        """
        SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last_id,
               (SELECT max(created_at) FROM posts) AS last_time
        FROM posts_id_seq
        """,
        (),
        conn,
    )


def move_ids(users: int, posts: int, conn: Conn) -> None:
    """The next user and the next post get the ids after these."""
    execute(
        """
        SELECT setval('users_id_seq', greatest(%s, 1), %s > 0),
               setval('posts_id_seq', greatest(%s, 1), %s > 0)
        """,
        (users, users, posts, posts),
        conn,
    )


def copy_users(rows: Iterable[str], conn: Conn) -> None:
    copy_in(
        "COPY users (id, user_name, first_name, last_name, password_hash, created_at) FROM STDIN",
        rows,
        conn,
    )


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


def analyze(conn: Conn) -> None:
    """The planner should know what is there now."""
    execute("ANALYZE users, posts, likes, views", (), conn)
