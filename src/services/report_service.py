"""Reports: what members tell the moderators, and what these decide."""

from contextlib import suppress

from dto.report_dto import Decision, NewReport, Report, Status
from repositories import post_repository, report_repository
from repositories.sql import transaction
from services import access_rules, audit_service, idempotency_service
from utils.errors import NotFound, Unprocessable


def create(report: NewReport) -> Report:
    """Raises NotFound, also for what belongs to somebody blocked; Conflict when it is about the
    reporter, or the second that is open."""
    access_rules.require_acting_for(report["reporter_id"], "report:create")
    return idempotency_service.once(
        report, lambda *conn: report_repository.create_report(report, *conn)
    )


def get_all(status: Status, after_id: int | None, limit: int, offset: int) -> list[Report]:
    """The oldest first."""
    access_rules.require_permission("report:read")
    return report_repository.get_reports(status, after_id, limit, offset)


def decide(
    report_id: int, moderator_id: int, status: Decision, note: str | None, delete_post: bool
) -> Report:
    """The decision, its audit entry and the deletion of the reported post, all or nothing. The
    audit log gets no text of the report.

    Raises NotFound; Conflict when it was decided before; Forbidden when the post cannot be deleted
    by this caller, Unprocessable when there is none.
    """
    access_rules.require_acting_for(moderator_id, "report:resolve")
    if delete_post:
        access_rules.require_permission("post:delete_any")
    with transaction() as conn:
        report_repository.lock_open_report(report_id, conn)
        report = report_repository.decide(report_id, status, note, moderator_id, conn)
        about = {"post_id": report["post_id"], "user_id": report["user_id"]}
        if delete_post:
            if report["post_id"] is None:
                raise Unprocessable(
                    "This report is not about a post",
                    ("body", "delete_post"),
                    code="report_without_post",
                )
            with suppress(NotFound):  # deleted already
                post_repository.delete_any_post(report["post_id"], conn)
        audit_service.record(
            "report.resolve" if status == "resolved" else "report.reject",
            f"report:{report_id}",
            {"status": "open", **about},
            {"status": status, **about, "delete_post": delete_post},
            conn,
        )
    return report
