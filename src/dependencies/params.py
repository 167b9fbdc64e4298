"""The parameters of the routes in paths, queries, headers and forms, each defined once."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Form, Header, Path, Query, Request
from pydantic import AfterValidator, Field
from starlette.convertors import StringConvertor, register_url_convertor

from dependencies.auth import AnyCaller
from dto import report_dto
from dto.auth_dto import PasswordForm
from dto.fields import Id, IdOrZero, Text, UserName
from dto.order_dto import Status
from services import access_rules
from utils import context


def check_utf8(text: str) -> str:
    """Starlette decodes a query that is not UTF-8 with U+FFFD in it."""
    if "\ufffd" in text:
        raise ValueError("Not a valid text")
    return text


class UserConvertor(StringConvertor):
    """In a path, `{...:user}` is every segment but `me` and `signup`, which are other routes."""

    regex = "(?!(?:me|signup)(?:/|$))[^/]+"


class AnythingConvertor(StringConvertor):
    """In a path, `{...:anything}` is all the rest, slashes and line ends too."""

    regex = "(?s:.*)"


register_url_convertor("user", UserConvertor())
register_url_convertor("anything", AnythingConvertor())

EXAMPLE_UUID = "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b"

UserId = Annotated[Id, Path(description="The user's id.", examples=[1])]
# A user name cannot begin with a digit, so digits are an id.
UserRef = Annotated[
    Id | UserName,
    Field(union_mode="left_to_right"),
    Path(description="An id or a user name.", examples=["gopher_anna"]),
]
PostId = Annotated[Id, Path(description="The post's id.", examples=[1])]
ProductId = Annotated[Id, Path(description="The product's id.", examples=[1])]
OrderId = Annotated[UUID, Path(description="The order's id.", examples=[EXAMPLE_UUID])]
ReportId = Annotated[Id, Path(description="The report's id.", examples=[1])]
SessionId = Annotated[UUID, Path(description="The session's id.", examples=[EXAMPLE_UUID])]

ReplyToId = Annotated[
    IdOrZero, Query(description="Only the replies to this post, the oldest first; 0 for no filter.")
]
OwnerId = Annotated[IdOrZero, Query(description="Only this user's posts; 0 for no filter.")]
Search = Annotated[
    str,
    Text(max_length=280),
    AfterValidator(check_utf8),
    Query(description="Only posts that contain this text, in upper or lower case."),
]
UserSearch = Annotated[
    str,
    Text(max_length=100),
    AfterValidator(check_utf8),
    Query(
        description="Only users whose user name or names contain this text, in upper or lower case."
    ),
]
Following = Annotated[
    bool,
    Query(
        description="The home timeline: only your own posts and those of users whom you follow. "
        "It goes together with `limit` and `cursor` alone."
    ),
]
ReportStatus = Annotated[
    report_dto.Status, Query(alias="status", description="Only reports with this status.")
]
OrderStatus = Annotated[
    Status | None, Query(alias="status", description="Only orders with this status.")
]
DeletedPosts = Annotated[
    Literal["delete"] | None, Query(description="`delete`: the account's posts go with it.")
]
RoleId = Annotated[UUID, Path(description="The role's id.", examples=[EXAMPLE_UUID])]
PermissionId = Annotated[UUID, Path(description="The permission's id.", examples=[EXAMPLE_UUID])]
Force = Annotated[bool, Query(description="Delete the role also from the users who have it.")]
Token = Annotated[
    str,
    Path(description="A token that this service issued.", examples=["754321:xyz9AbC2DeF3GhI4JkL0"]),
]
IfMatch = Annotated[
    str | None,
    Header(
        description="The `ETag` of what you have read: nothing is done if it has changed since."
    ),
]

OAuthForm = Annotated[PasswordForm, Form()]


async def idempotency_key(
    request: Request,
    caller: AnyCaller,
    text: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[\x21-\x7e]{1,255}$",
            description="A text of your own, such as a UUID. For a day, the same request with the "
            "same key makes nothing more, and gets the same answer again.",
        ),
    ] = None,
) -> None:
    """Tells the services the key of this request. Raises InvalidCredentials for a guest with one:
    a key belongs to a member."""
    path = request.scope["path"].removeprefix(request.scope["root_path"]).rstrip("/")
    key = context.IdempotencyKey(access_rules.require_member(), path, text) if text else None
    context.idempotency_key.set(key)


# For `dependencies=` of a route whose service works in `idempotency_service.once`.
IDEMPOTENT = Depends(idempotency_key)
