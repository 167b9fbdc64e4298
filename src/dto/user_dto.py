"""Users as they come in, travel inward and go out."""

from datetime import datetime
from typing import NotRequired

from pydantic import EmailStr
from typing_extensions import TypedDict

from dto.auth_dto import PasswordConfirm
from dto.fields import AnyPassword, Password, PersonName, RequestModel, UserName, optional_field


class UpdateUserDto(RequestModel):
    """Only the fields that are sent change; `null` clears what may be empty."""

    user_name: UserName = optional_field("gopher_anna")
    first_name: PersonName = optional_field("Anna")
    last_name: PersonName = optional_field("Petrova")
    middle_name: PersonName | None = optional_field("Maria")
    email: EmailStr | None = optional_field("anna@example.org")
    password: Password = optional_field("gopher2!")
    password_confirm: PasswordConfirm = optional_field("gopher2!")
    current_password: AnyPassword = optional_field("gopher1!")


class NewUser(TypedDict):
    """What the repository needs to create a user; optional columns only where they are given."""

    user_name: str
    first_name: str
    last_name: str
    password_hash: str
    middle_name: NotRequired[str | None]
    email: NotRequired[str | None]


class UserChanges(TypedDict, total=False):
    """What to change. `session_id` names the session that asks: it must prove a new password
    and outlives it; without one the caller is a program and trusted."""

    user_name: str
    first_name: str
    last_name: str
    middle_name: str | None
    email: str | None
    password: str
    password_hash: str
    current_password: str
    session_id: str


class User(TypedDict):
    """What everybody may know of a user. `status` is 1 (active) or 0 (deactivated)."""

    id: int
    user_name: str
    first_name: str
    last_name: str
    status: int
    created_at: datetime
    updated_at: datetime


class UserProfile(User):
    """What a user may know of themselves."""

    middle_name: str | None
    email: str | None
    is_active: bool
    is_superuser: bool


class OwnProfile(UserProfile):
    """The same with one's rights. A superuser may do everything, whatever is listed."""

    roles: list[str]
    permissions: list[str]


class Credentials(TypedDict):
    """For the login alone; never leaves the service."""

    id: int
    user_name: str
    password_hash: str
    status: int
