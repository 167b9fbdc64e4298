"""Users in requests and answers, and between the layers."""

from datetime import datetime
from typing import Annotated, Any, NotRequired

from pydantic import EmailStr, Field, StrictBool
from typing_extensions import TypedDict

from dto.auth_dto import PasswordConfirm, RegisterFields
from dto.fields import (
    AnyPassword,
    ChangeModel,
    Password,
    PersonName,
    RequestModel,
    UserName,
    documented,
    optional_field,
    read_only_field,
)
from dto.role_dto import Reference


class CreateUserDto(RequestModel):
    """An account that an administrator creates; `roles` by name or id."""

    user_name: UserName = Field(examples=["gopher_clara"])
    password: Password = Field(examples=["gopher1!"])
    password_confirm: PasswordConfirm = optional_field("gopher1!")
    first_name: PersonName = Field(examples=["Clara"])
    last_name: PersonName = Field(examples=["Ivanova"])
    middle_name: PersonName | None = optional_field("Olga")
    email: EmailStr | None = optional_field("clara@example.org")
    roles: Annotated[list[Reference], Field(max_length=100)] = Field(default=[], examples=[[]])
    is_active: StrictBool = True
    is_superuser: StrictBool = False


class UpdateUserDto(ChangeModel):
    """Only the fields that are sent change; `null` empties a field that may be empty."""

    user_name: UserName = optional_field("gopher_anna")
    first_name: PersonName = optional_field("Anna")
    last_name: PersonName = optional_field("Petrova")
    middle_name: PersonName | None = optional_field("Maria")
    email: EmailStr | None = optional_field("anna@example.org")
    password: Password = optional_field("gopher2!")
    password_confirm: PasswordConfirm = optional_field("gopher2!")
    current_password: AnyPassword = optional_field("gopher1!")
    is_active: StrictBool = optional_field(True)
    is_superuser: StrictBool = optional_field(False)
    id: Any = read_only_field(1)
    status: Any = read_only_field(1)
    created_at: Any = read_only_field("2026-11-21T12:00:00Z")
    updated_at: Any = read_only_field("2026-11-21T12:00:00Z")


class NewUser(TypedDict):
    """The columns of a new row. Those that are left out get their defaults."""

    user_name: str
    first_name: str
    last_name: str
    password_hash: str
    middle_name: NotRequired[str | None]
    email: NotRequired[str | None]
    status: NotRequired[int]
    is_superuser: NotRequired[bool]


class CreateUserFields(RegisterFields):
    roles: list[str]
    is_active: bool
    is_superuser: bool


class UserChanges(TypedDict, total=False):
    """The fields of a request. `current_password` proves that the owner sends it."""

    user_name: str
    first_name: str
    last_name: str
    middle_name: str | None
    email: str | None
    password: str
    current_password: str
    is_active: bool
    is_superuser: bool


class UserColumns(TypedDict, total=False):
    """The same as columns of the table; `password_hash` also as bcrypt gives it, in bytes."""

    user_name: str
    first_name: str
    last_name: str
    middle_name: str | None
    email: str | None
    pending_email: str | None
    password_hash: str | bytes
    status: int
    is_superuser: bool


EXAMPLE: dict[str, Any] = {
    "id": 1,
    "user_name": "gopher_anna",
    "first_name": "Anna",
    "last_name": "Petrova",
    "status": 1,
    "created_at": "2026-11-21T12:00:00Z",
    "updated_at": "2026-11-21T12:00:00Z",
    "followers_count": 7,
    "following_count": 2,
    "is_followed": False,
}
PRIVATE_EXAMPLE: dict[str, Any] = {
    "middle_name": "Maria",
    "email": "anna@example.org",
    "email_confirmed": True,
    "pending_email": "anna.new@example.org",
    "is_active": True,
    "is_superuser": False,
}
RIGHTS_EXAMPLE = {"roles": ["user"], "permissions": ["post:create", "post:read"]}


@documented(EXAMPLE)
class User(TypedDict):
    """The public profile. `status` is 1 (active) or 0 (deactivated); `is_followed` says whether
    the reader follows this user."""

    id: int
    user_name: str
    first_name: str
    last_name: str
    status: int
    created_at: datetime
    updated_at: datetime
    followers_count: int
    following_count: int
    is_followed: bool


class RelatedUser(User):
    """A profile in a list of relations, such as followers, and its place in that list."""

    place: int


@documented(EXAMPLE | PRIVATE_EXAMPLE)
class UserProfile(User):
    """The whole profile, for the user and for `user:read_private`. `pending_email` takes the place
    of `email` once it is confirmed."""

    middle_name: str | None
    email: str | None
    email_confirmed: bool
    pending_email: str | None
    is_active: bool
    is_superuser: bool


@documented(EXAMPLE | PRIVATE_EXAMPLE | RIGHTS_EXAMPLE)
class OwnProfile(UserProfile):
    """The whole profile with roles and permissions. A superuser may do everything."""

    roles: list[str]
    permissions: list[str]


class LockedUser(TypedDict):
    """What the rules for a change need, locked until the transaction ends."""

    id: int
    password_hash: str
    status: int
    is_superuser: bool
    email: str | None
    email_confirmed: bool


class Credentials(TypedDict):
    """For the login only; it is never part of an answer."""

    id: int
    user_name: str
    password_hash: str
    status: int


@documented(
    {
        "profile": EXAMPLE | PRIVATE_EXAMPLE,
        "roles": ["user"],
        "sessions": [],
        "posts": [
            {
                "id": 1,
                "text": "Hello, gophers!",
                "reply_to_id": None,
                "created_at": "2026-11-21T12:00:00Z",
                "edited_at": "2026-11-21T12:05:00Z",
                "deleted_at": None,
            }
        ],
        "earlier_texts": [],
        "likes": [{"id": 1, "created_at": "2026-11-21T12:00:00Z"}],
        "views": [],
        "follows": [{"id": 1, "user_id": 2, "created_at": "2026-11-21T12:00:00Z"}],
        "mutes": [],
        "blocks": [],
        "orders": [],
        "reports": [],
        "audit": [],
    }
)
class Export(TypedDict):
    """All that the server has of one user. `id` of a like or a view is the post's."""

    profile: UserProfile
    roles: list[str]
    sessions: list[Any]
    posts: list[Any]
    earlier_texts: list[Any]
    likes: list[Any]
    views: list[Any]
    follows: list[Any]
    mutes: list[Any]
    blocks: list[Any]
    orders: list[Any]
    reports: list[Any]
    audit: list[Any]
