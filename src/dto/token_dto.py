"""The token service's answers, exactly as it has always documented them."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from dto.fields import RequestModel, documented

MAX_MINUTES = 43_200


class IssueTokenDto(RequestModel):
    ttl_minutes: Annotated[int, Field(strict=True, ge=1, le=MAX_MINUTES)] = Field(
        default=60, examples=[60]
    )


@documented({"status_code": 200, "token": "754321:xyz9AbC2DeF3GhI4JkL0"})
class IssuedToken(TypedDict):
    status_code: int
    token: str


@documented({"status_code": 200, "status": True})
class TokenStatus(TypedDict):
    status_code: int
    status: bool
