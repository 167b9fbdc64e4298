"""Requests and answers of registration, login, sessions and recovery."""

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import AfterValidator, BaseModel, EmailStr, Field, ValidationInfo
from typing_extensions import TypedDict

from dto.fields import (
    AnyPassword,
    AnyUserName,
    Password,
    PersonName,
    RequestModel,
    Text,
    UserName,
    documented,
    optional_field,
)

EXAMPLE_JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2ln"


def _same_as_password(confirmation: str, info: ValidationInfo) -> str:
    if "password" in info.data and confirmation != info.data["password"]:
        raise ValueError("Passwords do not match")
    return confirmation


# It must come after the field `password` in a model.
PasswordConfirm = Annotated[AnyPassword, AfterValidator(_same_as_password)]


# The token comes from the mail.
MailedToken = Annotated[str, Text(max_length=256), Field(examples=["754321:xyz9AbC2DeF3GhI4JkL0"])]


class RegisterDto(RequestModel):
    """A new account."""

    user_name: UserName = Field(examples=["gopher_anna"])
    password: Password = Field(examples=["gopher1!"])
    password_confirm: PasswordConfirm = Field(examples=["gopher1!"])
    first_name: PersonName = Field(examples=["Anna"])
    last_name: PersonName = Field(examples=["Petrova"])
    middle_name: PersonName | None = optional_field("Maria")
    email: EmailStr | None = optional_field("anna@example.org")


class LoginDto(RequestModel):
    user_name: AnyUserName = Field(examples=["gopher_anna"])
    password: AnyPassword = Field(examples=["gopher1!"])


class RefreshDto(RequestModel):
    refresh_token: Annotated[str, Text(max_length=4096)] = Field(examples=[EXAMPLE_JWT])


class ForgotPasswordDto(RequestModel):
    email: EmailStr = Field(examples=["anna@example.org"])


class ResetPasswordDto(RequestModel):
    """The token comes from the mail."""

    token: MailedToken
    password: Password = Field(examples=["gopher2!"])
    password_confirm: PasswordConfirm = Field(examples=["gopher2!"])


class ConfirmEmailDto(RequestModel):
    """The token comes from the mail."""

    token: MailedToken


class RegisterFields(TypedDict):
    user_name: str
    password: str
    first_name: str
    last_name: str
    password_confirm: NotRequired[str]
    middle_name: NotRequired[str | None]
    email: NotRequired[str | None]


class LoginFields(TypedDict):
    user_name: str
    password: str


class TokenPair(TypedDict):
    access_token: str
    refresh_token: str


@documented({"access_token": EXAMPLE_JWT, "refresh_token": EXAMPLE_JWT})
class Tokens(TypedDict):
    """Send the access token as `Authorization: Bearer ...`, the refresh token to /auth/refresh. In
    the cookie mode (`X-Token-Mode: cookie`) the refresh token is in a cookie instead."""

    access_token: str
    refresh_token: NotRequired[str]


@documented({"access_token": EXAMPLE_JWT, "token_type": "bearer"})
class BearerToken(TypedDict):
    """The answer to the OAuth2 password form (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str


@documented(
    {
        "id": "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b",
        "created_at": "2026-11-21T12:00:00Z",
        "last_used_at": "2026-11-21T12:30:00Z",
        "expires_at": "2026-11-22T12:30:00Z",
        "current": True,
    }
)
class Session(TypedDict):
    """One login, from this device or another."""

    id: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool


class PasswordForm(BaseModel):
    """The OAuth2 password grant, as Swagger UI's Authorize button sends it."""

    # An empty value in a form counts as missing (RFC 6749, section 3.2).
    username: Annotated[str, Text(min_length=1, max_length=256)] = Field(examples=["gopher_anna"])
    password: Annotated[str, Text(min_length=1, max_length=256)] = Field(
        examples=["gopher1!"], json_schema_extra={"format": "password"}
    )
    grant_type: str = Field(default="password", pattern="^(password)?$")
    scope: str = ""
    client_id: str = ""
    client_secret: str = ""
