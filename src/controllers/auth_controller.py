"""HTTP for registration, login, tokens and sessions."""

from dependencies.auth import CurrentUser, CurrentUserId
from dependencies.pagination import OffsetPage
from dependencies.params import OAuthForm, SessionId
from dto.auth_dto import BearerToken, LoginDto, RefreshDto, RegisterDto, Session, TokenPair
from services import auth_service, session_service
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


def refresh(dto: RefreshDto) -> TokenPair:
    """A new pair; the old refresh token is spent. Using it once more ends the session."""
    return auth_service.refresh(dto.refresh_token)


def logout(user: CurrentUser) -> None:
    """Ends this session: its access and refresh tokens stop working."""
    session_service.end(user["sid"], int(user["sub"]))


def get_sessions(user: CurrentUser, page: OffsetPage) -> list[Session]:
    """Where you are logged in, the newest login first."""
    rows = session_service.get_all(int(user["sub"]), user["sid"], page.limit, page.offset)
    return page.by_offset(rows)


def end_session(session_id: SessionId, user_id: CurrentUserId) -> None:
    """Logs one of your sessions out."""
    session_service.end(str(session_id), user_id)


def end_sessions(user_id: CurrentUserId) -> None:
    """Logs you out everywhere, here too."""
    session_service.end_all(user_id)
