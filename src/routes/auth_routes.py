"""Registration, login, tokens and sessions."""

from fastapi import APIRouter

from controllers import auth_controller
from dependencies.auth import MEMBER
from dependencies.documentation.answers import documented_errors
from dependencies.rate_limit import limit, login_form_limit
from dependencies.refresh_cookie import TOKEN_MODE
from dependencies.routing.json_route import HashingRoute, JsonRoute
from dto.auth_dto import BearerToken, Session, Tokens

NO_COOKIES = "There is no cookie mode, because ENV_ALLOWED_ORIGINS is *"
# Hashing a password takes long, so these routes have their own threads.
hashing = APIRouter(prefix="/api", tags=["auth"], route_class=HashingRoute)
public = APIRouter(prefix="/api", tags=["auth"], route_class=JsonRoute)

hashing.post(
    "/auth/register",
    summary="Create an account",
    status_code=201,
    response_model=Tokens,
    responses=documented_errors({403: NO_COOKIES, 409: "User already exists"}),
    dependencies=[limit("register"), TOKEN_MODE],
)(auth_controller.register)

hashing.post(
    "/auth/login",
    summary="Log in",
    response_model=Tokens,
    responses=documented_errors({401: "Wrong password", 403: NO_COOKIES}),
    dependencies=[limit("login"), TOKEN_MODE],
)(auth_controller.login)

public.post(
    "/auth/refresh",
    summary="Renew the tokens",
    response_model=Tokens,
    responses=documented_errors(
        {401: "Invalid refresh token", 403: "Not a page of an allowed origin"}
    ),
    dependencies=[limit("refresh"), TOKEN_MODE],
)(auth_controller.refresh)

password_form = APIRouter(prefix="/api", tags=["auth"], route_class=HashingRoute)

password_form.post(
    "/login/access-token",
    summary="Log in by OAuth2's password form",
    response_model=BearerToken,
    responses=documented_errors({401: "Wrong password"}),
    dependencies=[login_form_limit()],
)(auth_controller.get_access_token)

router = APIRouter(
    prefix="/api/auth",
    tags=["sessions"],
    route_class=JsonRoute,
    dependencies=[MEMBER],
)

router.get(
    "/sessions",
    summary="List your sessions",
    response_model=list[Session],
)(auth_controller.get_sessions)

router.delete(
    "/sessions/{session_id}",
    summary="End one session",
    status_code=204,
    responses=documented_errors({404: "Session not found"}),
)(auth_controller.end_session)

router.delete(
    "/sessions",
    summary="End all your sessions",
    status_code=204,
)(auth_controller.end_sessions)

router.post(
    "/logout",
    summary="Log out",
    status_code=204,
    responses=documented_errors({403: NO_COOKIES}),
    dependencies=[TOKEN_MODE],
)(auth_controller.logout)

# Routes for users who cannot log in. They come last in /docs.
recovery = APIRouter(prefix="/api", tags=["recovery"], route_class=JsonRoute)
recovery_hashing = APIRouter(prefix="/api", tags=["recovery"], route_class=HashingRoute)

recovery.post(
    "/auth/password/forgot",
    summary="Ask for a new password",
    status_code=202,
    dependencies=[limit("token")],
)(auth_controller.forgot_password)

recovery.post(
    "/auth/email/confirm",
    summary="Confirm an e-mail address with the token from the mail",
    status_code=204,
    responses=documented_errors(
        {401: "Invalid or expired token", 409: "E-mail address already taken"}
    ),
    dependencies=[limit("token")],
)(auth_controller.confirm_email)

recovery_hashing.post(
    "/auth/password/reset",
    summary="Set a new password with the token from the mail",
    status_code=204,
    responses=documented_errors({401: "Invalid or expired token"}),
    dependencies=[limit("token")],
)(auth_controller.reset_password)
