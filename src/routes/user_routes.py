"""Users. Reading is for members, changing for the user alone."""

from fastapi import APIRouter, Depends

from controllers import user_controller
from dependencies.answers import refusals
from dependencies.auth import SIGNED_IN, require_self
from dependencies.json_route import JsonRoute
from dto.user_dto import User, UserProfile

router = APIRouter(
    prefix="/api/users",
    tags=["users"],
    route_class=JsonRoute,
    dependencies=[SIGNED_IN],
    responses=refusals(401),
)
SELF = [Depends(require_self)]

router.get(
    "",
    summary="List the users",
    response_model=list[User],
    responses=refusals(422),
)(user_controller.get_users)

router.get(
    "/me",
    summary="Read your own profile",
    response_model=UserProfile,
    responses=refusals(s404="User not found"),
)(user_controller.get_me)

router.get(
    "/{user}",
    summary="Read a user's public profile",
    response_model=User,
    responses=refusals(422, s404="User not found"),
)(user_controller.get_user)

for method in ("PUT", "PATCH"):
    router.add_api_route(
        "/{user_id}",
        user_controller.update_user_by_id,
        methods=[method],
        operation_id="update_user" if method == "PATCH" else "put_user",
        summary="Change your account",
        response_model=User,
        responses=refusals(400, 403, 413, 422, s404="User not found", s409="User already exists"),
        dependencies=SELF,
    )

router.delete(
    "/{user_id}",
    summary="Delete your account",
    status_code=204,
    responses=refusals(403, 422, s404="User not found"),
    dependencies=SELF,
)(user_controller.delete_user_by_id)
