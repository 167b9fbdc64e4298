"""HTTP for registration, login, tokens and sessions."""

from dependencies.auth import CurrentSessionId, CurrentUserId
from dependencies.pagination import OffsetPage
from dependencies.params import OAuthForm, SessionId
from dto.auth_dto import (
    BearerToken,
    ConfirmEmailDto,
    ForgotPasswordDto,
    LoginDto,
    RefreshDto,
    RegisterDto,
    ResetPasswordDto,
    Session,
    TokenPair,
)
from services import auth_service, recovery_service, session_service
from services.auth_service import login as login_service
from services.auth_service import register as register_service


def register(dto: RegisterDto) -> TokenPair:
    """A new account; it is logged in at once."""
    return register_service(dto.model_dump(exclude_unset=True))  # pyright: ignore


def login(dto: LoginDto) -> TokenPair:
    """A new session. Whatever is wrong, the answer is the same."""
    return login_service(dto.model_dump())  # pyright: ignore


def get_access_token(form: OAuthForm) -> BearerToken:
    """The same for the Authorize button above: OAuth2's password form."""
    pair = login_service({"user_name": form.username, "password": form.password})
    return {"access_token": pair["access_token"], "token_type": "bearer"}


def forgot_password(dto: ForgotPasswordDto) -> None:
    """Sends a mail with a token if the address is a user's. The answer does not tell."""
    recovery_service.forgot_password(dto.email)


def reset_password(dto: ResetPasswordDto) -> None:
    """Sets a new password and logs the user out everywhere. The token is good for one use."""
    recovery_service.reset_password(dto.token, dto.password)


def confirm_email(dto: ConfirmEmailDto) -> None:
    """The user can read mail at this address. The token is good for one use."""
    recovery_service.confirm_email(dto.token)


def refresh(dto: RefreshDto) -> TokenPair:
    """A new pair; the old refresh token is spent. Using it once more ends the session."""
    return auth_service.refresh(dto.refresh_token)


def logout(session_id: CurrentSessionId, user_id: CurrentUserId) -> None:
    """Ends this session: its access and refresh tokens stop working."""
    session_service.end(session_id, user_id)


def get_sessions(
    session_id: CurrentSessionId, user_id: CurrentUserId, page: OffsetPage
) -> list[Session]:
    """Where you are logged in, the newest login first."""
    rows = session_service.get_all(user_id, session_id, page.limit, page.offset)
    return page.by_offset(rows)


def end_session(session_id: SessionId, user_id: CurrentUserId) -> None:
    """Logs one of your sessions out."""
    session_service.end(str(session_id), user_id)


def end_sessions(user_id: CurrentUserId) -> None:
    """Logs you out everywhere, here too."""
    session_service.end_all(user_id)
