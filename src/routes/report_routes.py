"""Reports."""

from fastapi import APIRouter

from controllers import report_controller
from dependencies.auth import require
from dependencies.documentation.answers import documented_errors
from dependencies.params import IDEMPOTENT
from dependencies.rate_limit import limit
from dependencies.routing.json_route import JsonRoute
from dto.report_dto import Report

router = APIRouter(
    prefix="/api/reports",
    tags=["reports"],
    route_class=JsonRoute,
    dependencies=[limit("report")],
)

router.post(
    "",
    summary="Report a post or a person",
    status_code=201,
    response_model=Report,
    responses=documented_errors({404: "Post not found", 409: "You have reported this already"}),
    dependencies=[require("report:create"), IDEMPOTENT],
)(report_controller.create_report)

router.get(
    "",
    summary="Read the reports",
    response_model=list[Report],
    dependencies=[require("report:read")],
)(report_controller.get_reports)

router.patch(
    "/{report_id}",
    summary="Decide a report",
    response_model=Report,
    responses=documented_errors(
        {404: "Report not found", 409: "This report has been decided already"}
    ),
    dependencies=[require("report:resolve")],
)(report_controller.decide_report)
