"""Mutes and blocks."""

from fastapi import APIRouter

from controllers import hiding_controller
from dependencies.auth import MEMBER
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
    dependencies=[limit("user"), MEMBER],
)

router.get(
    "/me/mutes",
    summary="List whom you mute",
    operation_id="get_mutes",
    response_model=list[User],
)(hiding_controller.get_muted)

router.get(
    "/me/blocks",
    summary="List whom you block",
    operation_id="get_blocks",
    response_model=list[User],
)(hiding_controller.get_blocked)

router.post(
    "/{user_id:user}/mute",
    summary="Mute a user",
    operation_id="mute_user",
    status_code=201,
    responses=documented_errors({404: "User not found", 409: "User already muted"}),
    dependencies=[IDEMPOTENT],
    openapi_extra=request_examples(path={"user_id": 4}),
)(hiding_controller.mute)

router.delete(
    "/{user_id:user}/mute",
    summary="Stop muting a user",
    operation_id="unmute_user",
    status_code=204,
    responses=documented_errors({404: "User not muted"}),
    openapi_extra=request_examples(path={"user_id": 4}),
)(hiding_controller.unmute)

router.post(
    "/{user_id:user}/block",
    summary="Block a user",
    operation_id="block_user",
    status_code=201,
    responses=documented_errors({404: "User not found", 409: "User already blocked"}),
    dependencies=[IDEMPOTENT],
    openapi_extra=request_examples(path={"user_id": 4}),
)(hiding_controller.block)

router.delete(
    "/{user_id:user}/block",
    summary="Stop blocking a user",
    operation_id="unblock_user",
    status_code=204,
    responses=documented_errors({404: "User not blocked"}),
    openapi_extra=request_examples(path={"user_id": 4}),
)(hiding_controller.unblock)
