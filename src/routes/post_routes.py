"""Posts, likes and views."""

from fastapi import APIRouter

from controllers import post_controller
from dependencies.auth import MEMBER, require
from dependencies.documentation.answers import documented_errors
from dependencies.documentation.examples import request_examples
from dependencies.params import IDEMPOTENT
from dependencies.rate_limit import limit
from dependencies.routing.json_route import JsonRoute
from dependencies.routing.tagged_json import TaggedJson
from dto.post_dto import Post

router = APIRouter(
    prefix="/api/posts",
    tags=["posts"],
    route_class=JsonRoute,
    dependencies=[limit("post")],
)

router.get(
    "",
    summary="Read the feed",
    operation_id="get_posts",
    response_model=list[Post],
    dependencies=[require("post:read")],
)(post_controller.get_all_posts)

router.post(
    "",
    summary="Write a post or a reply",
    status_code=201,
    response_model=Post,
    responses=documented_errors({404: "Post not found"}),
    dependencies=[require("post:create"), IDEMPOTENT],
    openapi_extra=request_examples(
        bodies={
            "A post": {"text": "Hello, gophers!"},
            "A reply to post 1": {"text": "Hello, Anna", "reply_to_id": 1},
        }
    ),
)(post_controller.create_post)

router.get(
    "/{post_id}",
    summary="Read one post",
    response_class=TaggedJson,
    response_model=Post,
    responses=documented_errors({404: "Post not found"}),
    dependencies=[require("post:read")],
)(post_controller.get_post)

router.delete(
    "/{post_id}",
    summary="Delete a post",
    status_code=204,
    responses=documented_errors({404: "Post not found or already deleted"}),
    dependencies=[MEMBER],
    openapi_extra=request_examples(path={"post_id": 2}),
)(post_controller.delete_post)

router.post(
    "/{post_id}/view",
    summary="Count your view of a post",
    status_code=201,
    responses=documented_errors({404: "Post not found", 409: "Post already viewed"}),
    dependencies=[require("post:view"), IDEMPOTENT],
)(post_controller.view_post)

router.post(
    "/{post_id}/like",
    summary="Like a post",
    status_code=201,
    responses=documented_errors({404: "Post not found", 409: "Post already liked"}),
    dependencies=[require("post:like"), IDEMPOTENT],
)(post_controller.like_post)

router.delete(
    "/{post_id}/like",
    summary="Take your like back",
    operation_id="unlike_post",
    status_code=204,
    responses=documented_errors({404: "Post not found"}),
    dependencies=[require("post:like")],
)(post_controller.dislike_post)
