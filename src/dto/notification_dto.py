"""What a member is told, and up to where they have read it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from dto.fields import MAX_ID, RequestModel, check_whole_number, documented
from dto.post_dto import Author


class ReadNotificationsDto(RequestModel):
    up_to_id: Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(check_whole_number)] = Field(
        examples=[7], description="The newest notification that was read."
    )


@documented(
    {
        "id": 7,
        "kind": "like",
        "created_at": "2026-11-21T12:00:00Z",
        "read": False,
        "user": {
            "id": 2,
            "user_name": "gopher_boris",
            "first_name": "Boris",
            "last_name": "Ivanov",
        },
        "post_id": 1,
    }
)
class Notification(TypedDict):
    """`user` did it. `post_id`: the answer, the post with the mention, or the post that is liked;
    null for a follow."""

    id: int
    kind: Literal["follow", "answer", "like", "mention"]
    created_at: datetime
    read: bool
    user: Author
    post_id: int | None


@documented({"count": 3})
class Unread(TypedDict):
    count: int
