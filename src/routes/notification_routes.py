"""Notifications."""

from fastapi import APIRouter

from controllers import notification_controller
from dependencies.auth import MEMBER
from dependencies.rate_limit import limit
from dependencies.routing.json_route import JsonRoute
from dto.notification_dto import Notification, Unread

router = APIRouter(
    prefix="/api/notifications",
    tags=["notifications"],
    route_class=JsonRoute,
    dependencies=[limit("user")],
)

router.get(
    "",
    summary="Read what you are told",
    response_model=list[Notification],
    dependencies=[MEMBER],
)(notification_controller.get_notifications)

router.get(
    "/unread",
    summary="Count what you have not read",
    operation_id="count_unread_notifications",
    response_model=Unread,
    dependencies=[MEMBER],
)(notification_controller.count_unread)

router.post(
    "/read",
    summary="Mark as read",
    operation_id="mark_notifications_read",
    status_code=204,
    dependencies=[MEMBER],
)(notification_controller.mark_read)
