"""Posts in requests and answers, and between the layers."""

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from dto.fields import MAX_ID, RequestModel, Text, check_whole_number, documented

PostText = Annotated[str, Text(min_length=1, max_length=280, visible=True)]


class CreatePostDto(RequestModel):
    text: PostText = Field(examples=["Hello, gophers!"])
    reply_to_id: (
        Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(check_whole_number)] | None
    ) = Field(default=None, description="The post that this one answers; 0 or null for none.")


class NewPost(TypedDict):
    text: str
    user_id: int
    reply_to_id: int | None


class PostFilter(TypedDict):
    """`user_id`: the reader, 0 for a guest. `after_id`: the last post of the previous page."""

    user_id: int
    limit: int
    offset: int
    reply_to_id: NotRequired[int]
    owner_id: NotRequired[int]
    search: NotRequired[str]
    after_id: NotRequired[int | None]


class HomeFilter(TypedDict):
    """`user_id`: the reader. `after_id`: the last post of the previous page."""

    user_id: int
    limit: int
    after_id: int | None


class Author(TypedDict):
    id: int
    user_name: str
    first_name: str
    last_name: str


@documented(
    {
        "id": 2,
        "text": "Hello, gophers!",
        "reply_to_id": 1,
        "created_at": "2026-11-21T12:00:00Z",
        "edited_at": "2026-11-21T12:05:00Z",
        "likes_count": 1,
        "views_count": 7,
        "replies_count": 2,
        "user_liked": True,
        "user_viewed": True,
        "user": {
            "id": 1,
            "user_name": "gopher_anna",
            "first_name": "Anna",
            "last_name": "Petrova",
        },
    }
)
class Post(TypedDict):
    """`user_liked` and `user_viewed` say whether the reader has liked and viewed the post."""

    id: int
    text: str
    reply_to_id: int | None
    created_at: datetime
    edited_at: datetime | None
    likes_count: int
    views_count: int
    replies_count: int
    user_liked: bool
    user_viewed: bool
    user: Author
