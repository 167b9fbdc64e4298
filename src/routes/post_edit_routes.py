"""Editing posts, and their earlier texts."""

from fastapi import APIRouter

from controllers import post_edit_controller
from dependencies.auth import require
from dependencies.documentation.answers import documented_errors
from dependencies.rate_limit import limit
from dependencies.routing.json_route import JsonRoute
from dto.post_dto import Post
from dto.post_edit_dto import EarlierText

router = APIRouter(
    prefix="/api/posts",
    tags=["posts"],
    route_class=JsonRoute,
    dependencies=[limit("post")],
)

router.patch(
    "/{post_id}",
    summary="Edit a post",
    response_model=Post,
    responses=documented_errors(
        {404: "Post not found", 409: "A post can be edited for 15 minutes only"}
    ),
    dependencies=[require("post:edit")],
)(post_edit_controller.edit_post)

router.get(
    "/{post_id}/history",
    summary="Read what a post said before",
    operation_id="get_post_history",
    response_model=list[EarlierText],
    responses=documented_errors({404: "Post not found"}),
    dependencies=[require("post:read")],
)(post_edit_controller.get_history)
