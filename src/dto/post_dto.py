"""Posts as they come in, travel inward and go out."""

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from dto.fields import MAX_ID, RequestModel, Text, documented, is_whole_number


class CreatePostDto(RequestModel):
    text: Annotated[str, Text(min_length=1, max_length=280, visible=True)] = Field(
        examples=["Hello, gophers!"]
    )
    reply_to_id: Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(is_whole_number)] | None = (
        Field(default=None, description="The post that this one answers; 0 or null for none.")
    )


class NewPost(TypedDict):
    text: str
    user_id: int
    reply_to_id: int | None


class PostFilter(TypedDict):
    """Which posts, for which reader (`user_id`). `after_id` is where the last page ended."""

    user_id: int
    limit: int
    offset: int
    reply_to_id: NotRequired[int]
    owner_id: NotRequired[int]
    search: NotRequired[str]
    after_id: NotRequired[int | None]


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
    """A post as one reader sees it: `user_liked` and `user_viewed` are the reader's own."""

    id: int
    text: str
    reply_to_id: int | None
    created_at: datetime
    likes_count: int
    views_count: int
    replies_count: int
    user_liked: bool
    user_viewed: bool
    user: Author
