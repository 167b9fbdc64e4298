"""Following."""

from fastapi import APIRouter

from controllers import follow_controller
from dependencies.auth import own_or, require
from dependencies.documentation.answers import documented_errors
from dependencies.documentation.examples import request_examples
from dependencies.params import IDEMPOTENT
from dependencies.rate_limit import limit
from dependencies.routing.json_route import JsonRoute
from dto.user_dto import User

router = APIRouter(
    prefix="/api/users",
    tags=["community"],
    route_class=JsonRoute,
    dependencies=[limit("user")],
)

router.post(
    "/{user_id:user}/follow",
    summary="Follow a user",
    operation_id="follow_user",
    status_code=201,
    responses=documented_errors({404: "User not found", 409: "User already followed"}),
    dependencies=[require("user:follow"), IDEMPOTENT],
    openapi_extra=request_examples(path={"user_id": 4}),
)(follow_controller.follow)

router.delete(
    "/{user_id:user}/follow",
    summary="Stop following a user",
    operation_id="unfollow_user",
    status_code=204,
    responses=documented_errors({404: "User not followed"}),
    dependencies=[require("user:follow")],
    openapi_extra=request_examples(path={"user_id": 4}),
)(follow_controller.unfollow)

router.get(
    "/{user_id:user}/followers",
    summary="List the followers of a user",
    response_model=list[User],
    responses=documented_errors({404: "User not found"}),
    dependencies=[own_or("user:read")],
)(follow_controller.get_followers)

router.get(
    "/{user_id:user}/following",
    summary="List whom a user follows",
    response_model=list[User],
    responses=documented_errors({404: "User not found"}),
    dependencies=[own_or("user:read")],
)(follow_controller.get_following)
