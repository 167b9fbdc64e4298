"""Reports in PostgreSQL. A trigger checks what may be reported."""

from typing import LiteralString

from psycopg.errors import CheckViolation, ForeignKeyViolation, UniqueViolation

from dto.post_dto import Post
from dto.report_dto import Decision, NewReport, Report, Status
from repositories.post_rows import AUTHOR_COLUMNS, POST_COLUMNS, READER_COLUMNS, with_author
from repositories.sql import Conn, fetch_all, fetch_one
from utils.errors import Conflict, NotFound

COLUMNS: LiteralString = """
    r.id, r.post_id, r.user_id, r.reason, r.comment, r.status, r.note, r.created_at, r.decided_at,
    r.decided_by,
    json_build_object(
        'id', u.id,
        'user_name', u.user_name,
        'first_name', u.first_name,
        'last_name', u.last_name
    ) AS user
"""


def create_report(report: NewReport, conn: Conn | None = None) -> Report:
    """Raises NotFound when it is about what does not exist for the reporter; Conflict when it is
    about the reporter, or the second that is open."""
    try:
        return fetch_one(
            f"""
            WITH r AS (
                INSERT INTO reports (reporter_id, post_id, user_id, reason, comment)
                VALUES (%s, %s, %s, %s, %s)
                RETURNING id, reporter_id, post_id, user_id, reason, comment, status, note,
                          created_at, decided_at, decided_by
            )
            SELECT {COLUMNS}
            FROM r
            JOIN users u ON u.id = r.reporter_id
            """,
            (
                report["reporter_id"],
                report["post_id"],
                report["user_id"],
                report["reason"],
                report["comment"],
            ),
            conn,
        )
    except ForeignKeyViolation as error:
        if report["post_id"]:
            raise NotFound("Post not found", code="post_not_found") from error
        raise NotFound("User not found", code="user_not_found") from error
    except CheckViolation as error:
        raise Conflict("You cannot report yourself", code="not_yourself") from error
    except UniqueViolation as error:
        raise Conflict("You have reported this already", code="already_reported") from error


def get_reports(status: Status, after_id: int | None, limit: int, offset: int) -> list[Report]:
    """The oldest first; `after_id` is the last report of the previous page."""
    return fetch_all(
        f"""
        SELECT {COLUMNS}
        FROM (
            SELECT id, reporter_id, post_id, user_id, reason, comment, status, note, created_at,
                   decided_at, decided_by
            FROM reports
            WHERE status = %s AND id > %s
            ORDER BY id
            OFFSET %s
            LIMIT %s
        ) r
        JOIN users u ON u.id = r.reporter_id
        ORDER BY r.id
        """,
        (status, after_id or 0, offset, limit),
    )


def get_reported_post(post_id: int, user_id: int) -> Post:
    """As this moderator sees it, also where they and the author are blocked. Raises NotFound, also
    for a post that nobody has reported."""
    row = fetch_one(
        f"""
        SELECT {POST_COLUMNS}, {READER_COLUMNS}, {AUTHOR_COLUMNS}
        FROM posts p
        JOIN users u ON u.id = p.user_id
        WHERE p.id = %s AND p.deleted_at IS NULL
          AND EXISTS (SELECT FROM reports r WHERE r.post_id = p.id)
        """,
        (user_id, user_id, post_id),
    )
    if row is None:
        raise NotFound("Post not found", code="post_not_found")
    return with_author(row)


def lock_open_report(report_id: int, conn: Conn) -> None:
    """Until the transaction ends, no other can decide it. Raises NotFound, and Conflict when it was
    decided before."""
    row = fetch_one("SELECT status FROM reports WHERE id = %s FOR UPDATE", (report_id,), conn)
    if row is None:
        raise NotFound("Report not found", code="report_not_found")
    if row["status"] != "open":
        raise Conflict("This report has been decided already", code="report_decided")


def decide(
    report_id: int, status: Decision, note: str | None, decided_by: int, conn: Conn
) -> Report:
    """Of a report that is locked."""
    return fetch_one(
        f"""
        WITH r AS (
            UPDATE reports
            SET status = %s, note = %s, decided_by = %s, decided_at = now()
            WHERE id = %s
            RETURNING id, reporter_id, post_id, user_id, reason, comment, status, note,
                      created_at, decided_at, decided_by
        )
        SELECT {COLUMNS}
        FROM r
        JOIN users u ON u.id = r.reporter_id
        """,
        (status, note, decided_by, report_id),
        conn,
    )
