"""Users."""

from fastapi import APIRouter

from controllers import user_controller
from dependencies.answers import refusals
from dependencies.auth import MEMBER, own_or, require
from dependencies.json_route import JsonRoute
from dependencies.rate_limit import limit
from dto.user_dto import OwnProfile, User, UserProfile

router = APIRouter(
    prefix="/api/users",
    tags=["users"],
    route_class=JsonRoute,
    dependencies=[limit("user")],
    responses=refusals(401, 429),
)

router.get(
    "",
    summary="List the users",
    response_model=list[User],
    responses=refusals(403, 422),
    dependencies=[require("user:read")],
)(user_controller.get_users)

router.get(
    "/me",
    summary="Read your own profile",
    response_model=OwnProfile,
    responses=refusals(s404="User not found"),
    dependencies=[MEMBER],
)(user_controller.get_me)

router.get(
    "/{user}",
    summary="Read a user's public profile",
    response_model=UserProfile | User,
    responses=refusals(403, 422, s404="User not found"),
    dependencies=[own_or("user:read")],
)(user_controller.get_user)

for method in ("PUT", "PATCH"):
    router.add_api_route(
        "/{user_id}",
        user_controller.update_user_by_id,
        methods=[method],
        operation_id="update_user" if method == "PATCH" else "put_user",
        summary="Change an account",
        response_model=User,
        responses=refusals(400, 403, 413, 422, s404="User not found", s409="User already exists"),
        dependencies=[own_or("user:update_any")],
    )

router.delete(
    "/{user_id}",
    summary="Delete an account",
    status_code=204,
    responses=refusals(403, 422, s404="User not found"),
    dependencies=[own_or("user:delete_any")],
)(user_controller.delete_user_by_id)
