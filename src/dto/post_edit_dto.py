"""The text of a post, changed, and what it was before."""

from datetime import datetime

from pydantic import Field
from typing_extensions import TypedDict

from dto.fields import RequestModel, documented
from dto.post_dto import PostText


class EditPostDto(RequestModel):
    text: PostText = Field(examples=["Hello, all gophers!"])


@documented({"text": "Hello, gophers!", "written_at": "2026-11-21T12:00:00Z"})
class EarlierText(TypedDict):
    text: str
    written_at: datetime
