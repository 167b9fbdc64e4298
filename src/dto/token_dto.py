"""Requests and answers of the token service, as its clients know them."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from dto.fields import RequestModel, check_whole_number, documented

MAX_TTL_MINUTES = 43_200


class IssueTokenDto(RequestModel):
    ttl_minutes: Annotated[
        int, Field(ge=1, le=MAX_TTL_MINUTES), BeforeValidator(check_whole_number)
    ] = Field(default=60, examples=[60])


@documented({"status_code": 200, "token": "754321:xyz9AbC2DeF3GhI4JkL0"})
class IssuedToken(TypedDict):
    status_code: int
    token: str


@documented({"status_code": 200, "status": True})
class TokenStatus(TypedDict):
    status_code: int
    status: bool
