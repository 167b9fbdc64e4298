"""Password reset and e-mail confirmation, both with a token that is sent by mail."""

from config import mail
from repositories import session_repository, token_repository, user_repository
from repositories.sql import transaction
from services import access_cache, account_rules
from services.token_service import new_token
from utils.errors import InvalidCredentials
from utils.later import run_later

RESET_MINUTES = 60
CONFIRM_MINUTES = 24 * 60


def forgot_password(email: str) -> None:
    """Sends a mail if the address is a user's. It is sent by another thread, so that the time of
    the answer does not show whether it is."""
    run_later(_send_reset, email)


def request_confirmation(user_id: int, email: str) -> None:
    """Sends a mail, in another thread, unless the address is confirmed already."""
    run_later(_send_confirmation, user_id, email)


def reset_password(token: str, password: str) -> None:
    """Sets the password and ends all sessions. Raises InvalidCredentials for a bad token."""
    # This check only saves the cost of hashing; the one that counts is `use_user_token` below.
    if not token_repository.is_valid(token, "password_reset"):
        raise InvalidCredentials("Invalid or expired token")
    hashed = account_rules.hash_password(password)
    with transaction() as conn:
        user_id = token_repository.use_user_token(token, "password_reset", conn)
        if user_id is None:
            raise InvalidCredentials("Invalid or expired token")
        user_repository.update_user(user_id, {"password_hash": hashed}, conn)
        session_repository.end_sessions(user_id, conn=conn)
    access_cache.invalidate_user(user_id)


def confirm_email(token: str) -> None:
    """Raises InvalidCredentials for a bad token."""
    with transaction() as conn:
        user_id = token_repository.use_user_token(token, "email_confirm", conn)
        if user_id is None:
            raise InvalidCredentials("Invalid or expired token")
        user_repository.confirm_email(user_id, conn)


def _send_reset(email: str) -> None:
    token = new_token()
    with transaction() as conn:
        user = user_repository.find_by_email(email, conn)
        if user is None:
            return
        token_repository.set_user_token(user["id"], "password_reset", token, RESET_MINUTES, conn)
    # To the stored address: the typed one may be different, but equal for PostgreSQL.
    mail.send(
        user["email"],
        "Reset your GopherTalk password",
        f"Somebody, probably you, forgot the password of this account.\n\n{token}\n\n"
        f"Send this code with your new password to POST /api/auth/password/reset within "
        f"{RESET_MINUTES} minutes. If it was not you, do nothing.\n",
    )


def _send_confirmation(user_id: int, email: str) -> None:
    token = new_token()
    with transaction() as conn:
        # The address may have changed since the request. A token that is sent to the old address
        # must not confirm the new one.
        if not user_repository.awaits_confirmation(user_id, email, conn):
            return
        token_repository.set_user_token(user_id, "email_confirm", token, CONFIRM_MINUTES, conn)
    mail.send(
        email,
        "Confirm your e-mail address for GopherTalk",
        f"Welcome to GopherTalk.\n\n{token}\n\n"
        "Send this code to POST /api/auth/email/confirm within a day. If you have no account at "
        "GopherTalk, do nothing.\n",
    )
