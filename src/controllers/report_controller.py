"""HTTP for reports."""

from dependencies.auth import CurrentUserId
from dependencies.pagination import CursorPage
from dependencies.params import ReportId, ReportStatus
from dto.report_dto import CreateReportDto, DecideReportDto, Report
from services import report_service


def create_report(dto: CreateReportDto, user_id: CurrentUserId) -> Report:
    """Tells the moderators about a post or a person. Nobody else reads it."""
    return report_service.create(
        {
            "reporter_id": user_id,
            "post_id": dto.post_id,
            "user_id": dto.user_id,
            "reason": dto.reason,
            "comment": dto.comment,
        }
    )


def get_reports(page: CursorPage, status: ReportStatus = "open") -> list[Report]:
    """The moderators' queue: the open reports, or those with another status, the oldest first."""
    return page.by_cursor(
        report_service.get_all(status, page.after_id, page.fetch_limit, page.offset)
    )


def decide_report(report_id: ReportId, dto: DecideReportDto, user_id: CurrentUserId) -> Report:
    """Resolves or rejects an open report. With `delete_post` the reported post goes with it, if it
    is still there."""
    return report_service.decide(report_id, user_id, dto.status, dto.note, dto.delete_post)
