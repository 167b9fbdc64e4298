"""Posts as they come in, travel inward and go out."""

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from dto.fields import BIGINT_MAX, RequestModel, Text


class CreatePostDto(RequestModel):
    text: Annotated[Text, Field(min_length=1, max_length=280)] = Field(examples=["Hello, gophers!"])
    reply_to_id: Annotated[int, Field(strict=True, ge=0, le=BIGINT_MAX)] | None = Field(
        default=None, description="The post that this one answers; 0 or null for none."
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
