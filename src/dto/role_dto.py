"""Requests and answers of roles, permissions and the audit log."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from dto.fields import ChangeModel, RequestModel, Text, documented, optional_field

Word = Annotated[str, Field(min_length=2, max_length=30, pattern="^[a-z][a-z0-9_]+$")]
# A permission by its name, `post:delete_any`, or its id; a role by its name or its id.
Reference = Annotated[str, Text(min_length=2, max_length=64)]
Description = Annotated[str, Text(max_length=280)]


class CreateRoleDto(RequestModel):
    name: Word = Field(examples=["host"])
    description: Description = Field(default="", examples=["Keeps the talk friendly"])


class UpdateRoleDto(ChangeModel):
    """Only the fields that are sent change."""

    name: Word = optional_field("host")
    description: Description = optional_field("Keeps the talk friendly, and short")


class RolePermissionsDto(RequestModel):
    """The complete set: the role loses what is not in it."""

    permissions: Annotated[list[Reference], Field(max_length=500)] = Field(
        examples=[["post:delete_any", "user:read_private"]]
    )


class UserRolesDto(RequestModel):
    """The complete set: the user loses what is not in it, except the role `user`."""

    roles: Annotated[list[Reference], Field(max_length=100)] = Field(examples=[["moderator"]])


class CreatePermissionDto(RequestModel):
    resource: Word = Field(examples=["post"])
    action: Word = Field(examples=["pin"])


class RoleChanges(TypedDict, total=False):
    name: str
    description: str


@documented(
    {
        "id": "7d9f4a52-3c1e-4e0b-8a64-2f3f3f0f7c12",
        "resource": "post",
        "action": "delete_any",
        "is_builtin": True,
    }
)
class Permission(TypedDict):
    """`is_builtin`: the code checks this permission, so it cannot be deleted."""

    id: str
    resource: str
    action: str
    is_builtin: bool


@documented(
    {
        "id": "7d9f4a52-3c1e-4e0b-8a64-2f3f3f0f7c11",
        "name": "host",
        "description": "Keeps the talk friendly",
        "is_builtin": False,
        "permissions": ["post:delete_any"],
    }
)
class Role(TypedDict):
    """`permissions` are names such as `post:delete_any`."""

    id: str
    name: str
    description: str
    is_builtin: bool
    permissions: list[str]


@documented(
    {
        "id": 1,
        "created_at": "2026-11-21T12:00:00Z",
        "actor_id": 1,
        "action": "user.roles",
        "target": "user:2",
        "before": {"roles": ["user"]},
        "after": {"roles": ["moderator", "user"]},
        "request_id": "2b0c6f8e4f7e4f6d8a52c1f1c3b1d0aa",
    }
)
class AuditEntry(TypedDict):
    """Who (`actor_id`, null for a program of the server) did what (`action`) to `target`."""

    id: int
    created_at: datetime
    actor_id: int | None
    action: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None
