"""HTTP for registration, login, tokens and sessions."""

from dependencies import refresh_cookie
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
    Tokens,
)
from services import auth_service, recovery_service, session_service
from services.auth_service import login as login_service
from services.auth_service import register as register_service


def register(dto: RegisterDto) -> Tokens:
    """Creates an account, and logs in."""
    return refresh_cookie.deliver(register_service(dto.model_dump(exclude_unset=True)))  # pyright: ignore


def login(dto: LoginDto) -> Tokens:
    """Logs in. An unknown name and a wrong password get the same answer."""
    return refresh_cookie.deliver(login_service(dto.model_dump()))  # pyright: ignore


def get_access_token(form: OAuthForm) -> BearerToken:
    """Logs in with OAuth2's password form, which the Authorize button above sends."""
    pair = login_service({"user_name": form.username, "password": form.password})
    return {"access_token": pair["access_token"], "token_type": "bearer"}


def forgot_password(dto: ForgotPasswordDto) -> None:
    """Sends a mail with a token if a user has this address. The answer is the same if not."""
    recovery_service.forgot_password(dto.email)


def reset_password(dto: ResetPasswordDto) -> None:
    """Sets a new password and logs the user out everywhere. The token works once."""
    recovery_service.reset_password(dto.token, dto.password)


def confirm_email(dto: ConfirmEmailDto) -> None:
    """Confirms the e-mail address that the token was sent to. The token works once."""
    recovery_service.confirm_email(dto.token)


def refresh(dto: RefreshDto | None = None) -> Tokens:
    """A new pair of tokens. The old refresh token is spent; using it again ends the session."""
    sent = refresh_cookie.sent_refresh_token(dto.refresh_token if dto else None)
    return refresh_cookie.deliver(auth_service.refresh(sent))


def logout(session_id: CurrentSessionId, user_id: CurrentUserId) -> None:
    """Ends this session: its access and refresh tokens stop working."""
    session_service.end(session_id, user_id)
    refresh_cookie.clear()


def get_sessions(
    session_id: CurrentSessionId, user_id: CurrentUserId, page: OffsetPage
) -> list[Session]:
    """Where you are logged in, the newest login first."""
    rows = session_service.get_all(user_id, session_id, page.fetch_limit, page.offset)
    return page.by_offset(rows)


def end_session(session_id: SessionId, user_id: CurrentUserId) -> None:
    """Ends one of your sessions: its tokens stop working."""
    session_service.end(str(session_id), user_id)


def end_sessions(user_id: CurrentUserId) -> None:
    """Logs you out everywhere, here too."""
    session_service.end_all(user_id)
