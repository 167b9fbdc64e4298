"""Password reset and e-mail confirmation, both with a token that is sent by mail."""

import logging
import secrets

from config import mail, metrics
from config.secrets import token_secrets
from repositories import session_repository, token_repository, user_repository
from repositories.sql import Conn, transaction
from repositories.token_repository import UserPurpose
from services import access_cache, account_rules, rate_limit_service
from services.token_service import token_from
from utils import context
from utils.digest import sha256_of
from utils.errors import InvalidCredentials
from utils.later import run_later

RESET_MINUTES = 60
CONFIRM_MINUTES = 24 * 60

log = logging.getLogger("gophertalk.mail")


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
        raise InvalidCredentials("Invalid or expired token", code="invalid_token")
    hashed = account_rules.hash_password(password)
    with transaction() as conn:
        user_id = token_repository.use_user_token(token, "password_reset", conn)
        if user_id is None:
            raise InvalidCredentials("Invalid or expired token", code="invalid_token")
        user_repository.update_user(user_id, {"password_hash": hashed}, conn)
        session_repository.end_sessions(user_id, conn=conn)
    access_cache.invalidate_user(user_id)


def confirm_email(token: str) -> None:
    """Raises InvalidCredentials for a bad token, and Conflict when somebody else has confirmed the
    address meanwhile."""
    with transaction() as conn:
        user_id = token_repository.use_user_token(token, "email_confirm", conn)
        if user_id is None:
            raise InvalidCredentials("Invalid or expired token", code="invalid_token")
        user_repository.confirm_email(user_id, conn)


def _send_reset(email: str) -> None:
    with transaction() as conn:
        user = user_repository.find_by_email(email, conn)
        if user is None or not _may_mail(email, user["id"]):
            return
        token = _token(user["id"], "password_reset", user["email"], RESET_MINUTES, conn)
    # To the stored address: the typed one may be different, but equal for PostgreSQL.
    mail.send(
        user["email"],
        "Reset your GopherTalk password",
        f"Somebody, probably you, forgot the password of this account.\n\n{token}\n\n"
        f"Send this code with your new password to POST /api/auth/password/reset within "
        f"{RESET_MINUTES} minutes. If it was not you, do nothing.\n",
    )


def _send_confirmation(user_id: int, email: str) -> None:
    with transaction() as conn:
        # The address may have changed since the request. A token that is sent to the old address
        # must not confirm the new one.
        if not user_repository.awaits_confirmation(user_id, email, conn):
            return
        if not _may_mail(email, user_id):
            return
        token = _token(user_id, "email_confirm", email, CONFIRM_MINUTES, conn)
    mail.send(
        email,
        "Confirm your e-mail address for GopherTalk",
        f"Welcome to GopherTalk.\n\n{token}\n\n"
        "Send this code to POST /api/auth/email/confirm within a day. If you have no account at "
        "GopherTalk, do nothing.\n",
    )


def _token(user_id: int, purpose: UserPurpose, email: str, minutes: int, conn: Conn) -> str:
    """The token of the mail before, while it is good: to ask again does not spend it."""
    nonce = token_repository.get_user_nonce(user_id, purpose, conn) or secrets.token_bytes(16)
    token = token_from(token_secrets().refresh, nonce, str(user_id), purpose, email)
    token_repository.set_user_token(user_id, purpose, token, minutes, conn, nonce)
    return token


def _may_mail(email: str, user_id: int) -> bool:
    """Counts a mail against the limits: of its address, of the account, and of whoever asks. The
    client is not told, for that would tell whose address it is."""
    counted_for = {
        "mail_address": sha256_of(email.lower()).hex(),
        "mail_account": str(user_id),
        "mail_client": context.client_address.get()(),
    }
    for name, key in counted_for.items():
        rate = rate_limit_service.rate_of(name)
        if rate and key and not rate_limit_service.hit(rate, name, key).allowed:
            metrics.rate_limited(name)
            log.warning("a mail was not sent: the limit RATE_LIMIT_%s is used up", name.upper())
            return False
    return True
