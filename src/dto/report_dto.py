"""Reports in requests and answers, and between the layers."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StrictBool, model_validator
from typing_extensions import TypedDict

from dto.fields import MAX_ID, RequestModel, Text, check_whole_number, documented
from dto.post_dto import Author

Reason = Literal["spam", "abuse", "hate", "violence", "sexual", "illegal", "impersonation", "other"]
Status = Literal["open", "resolved", "rejected"]
Decision = Literal["resolved", "rejected"]

WholeId = Annotated[int, Field(ge=1, le=MAX_ID), BeforeValidator(check_whole_number)]
Words = Annotated[str, Text(min_length=1, max_length=1000, visible=True)]


class CreateReportDto(RequestModel):
    """Either `post_id` or `user_id` says what the report is about."""

    post_id: WholeId | None = None
    user_id: WholeId | None = Field(default=None, examples=[2])
    reason: Reason = Field(examples=["spam"])
    comment: Words | None = Field(
        default=None,
        description="Only moderators read it.",
        examples=["The same text under every post"],
    )

    @model_validator(mode="after")
    def _check_about(self) -> Self:
        if (self.post_id is None) == (self.user_id is None):
            raise ValueError("Either post_id or user_id is needed")
        return self


class DecideReportDto(RequestModel):
    status: Decision = Field(examples=["resolved"])
    note: Words | None = Field(
        default=None, description="Why, for other moderators.", examples=["Warned before"]
    )
    delete_post: StrictBool = Field(
        default=False, description="Delete the reported post too; needs `post:delete_any`."
    )


class NewReport(TypedDict):
    """One of `post_id` and `user_id` is None."""

    reporter_id: int
    post_id: int | None
    user_id: int | None
    reason: Reason
    comment: str | None


@documented(
    {
        "id": 1,
        "post_id": 2,
        "user_id": None,
        "reason": "spam",
        "comment": "The same text under every post",
        "status": "open",
        "note": None,
        "created_at": "2026-11-21T12:00:00Z",
        "decided_at": None,
        "decided_by": None,
        "user": {
            "id": 1,
            "user_name": "gopher_anna",
            "first_name": "Anna",
            "last_name": "Petrova",
        },
    }
)
class Report(TypedDict):
    """`user` is who reported, `decided_by` the id of the moderator."""

    id: int
    post_id: int | None
    user_id: int | None
    reason: Reason
    comment: str | None
    status: Status
    note: str | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: int | None
    user: Author
