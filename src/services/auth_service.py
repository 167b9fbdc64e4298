"""Registration, login and the refresh of tokens."""

import re
from contextlib import suppress
from uuid import uuid4

import bcrypt

from config import db, metrics
from config.secrets import token_secrets
from config.settings import get_settings
from dto.auth_dto import LoginFields, RegisterFields, TokenPair
from dto.fields import BCRYPT_MAX_BYTES
from dto.user_dto import Credentials, User
from repositories import replicas, session_repository, user_repository
from repositories.sql import transaction
from repositories.user_repository import create_user, get_user_by_username
from services import access_rules, account_rules, recovery_service, session_service
from utils import jwt
from utils.errors import InvalidCredentials, NotFound, Unavailable, UnknownUser
from utils.passwords import dummy_hash

BCRYPT_COST = re.compile(r"\$2[aby]\$(\d\d)\$")


def register(dto: RegisterFields) -> TokenPair:
    """A new account and its first session. Raises Conflict when a name or address is taken.

    If the session cannot be opened, the account exists all the same, and the user can log in later.
    """
    return generate_token_pair(sign_up(dto)["id"])


def sign_up(dto: RegisterFields) -> User:
    """A new account. Raises Conflict when the user name or the e-mail address is taken."""
    user = create_user(account_rules.new_user(dto))
    if email := dto.get("email"):
        recovery_service.request_confirmation(user["id"], email)
    return user


def login(dto: LoginFields) -> TokenPair:
    """Raises InvalidCredentials, for a client with one sentence and after the same time for an
    unknown name (UnknownUser), a wrong password and a deactivated account."""
    try:
        user = get_user_by_username(dto["user_name"])
    except Unavailable:
        raise
    except ValueError:
        user = None
    stored = user["password_hash"].encode() if user else dummy_hash(get_settings().bcrypt_rounds)
    password = dto["password"].encode()
    # Also compared when it is too long, so that the refusal takes the same time.
    matches = bcrypt.checkpw(password[:BCRYPT_MAX_BYTES], stored)
    if user is None or not matches or len(password) > BCRYPT_MAX_BYTES or user.get("status") == 0:
        metrics.login_failed()
        raise (
            InvalidCredentials("Wrong password", code="wrong_password")
            if user
            else UnknownUser("User not found")
        )
    _rehash_if_cost_rose(user, dto["password"])
    return generate_token_pair(user["id"])


def _rehash_if_cost_rose(user: Credentials, password: str) -> None:
    """If BCRYPT_ROUNDS is higher than in the stored hash. It can only be done at a login, when the
    password is known."""
    cost = BCRYPT_COST.match(user["password_hash"])
    if cost and int(cost[1]) < get_settings().bcrypt_rounds:
        hashed = account_rules.hash_password(password)
        user_repository.replace_password_hash(user["id"], user["password_hash"], hashed)


def generate_token_pair(user_id: int) -> TokenPair:
    """Opens a session for the user.

    Where no pool was opened (unit tests), the session is not stored, so its tokens are not valid.
    """
    session_id = str(uuid4())
    pair = _sign_pair(user_id, session_id)
    if not db.pool.closed:
        lifetime = get_settings().refresh_token_expires
        session_repository.create_session(session_id, user_id, pair["refresh_token"], lifetime)
        replicas.note_write(user_id)
    return pair


def refresh(refresh_token: str) -> TokenPair:
    """A new pair for the same session; the old refresh token is spent.

    Raises InvalidCredentials. If a token is used again more than ten seconds after it was spent,
    somebody has stolen it, and its session ends (RFC 9700, section 4.14.2).
    """
    try:
        jwt.read(refresh_token, "refresh", token_secrets().refresh)
    except jwt.InvalidToken as error:
        raise InvalidCredentials("Invalid refresh token", code="invalid_refresh_token") from error
    with transaction() as conn:
        spent = session_repository.spend_refresh_token(refresh_token, conn)
        if spent and not spent["reused"]:
            pair = _sign_pair(spent["user_id"], spent["session_id"])
            session_repository.add_refresh_token(
                spent["session_id"],
                pair["refresh_token"],
                get_settings().refresh_token_expires,
                conn,
            )
            return pair
    if spent:
        # A concurrent use of the same token may have ended the session already.
        with suppress(NotFound), access_rules.acting_as(access_rules.SYSTEM):
            session_service.end(spent["session_id"], spent["user_id"])
    raise InvalidCredentials("Invalid refresh token", code="invalid_refresh_token")


def _sign_pair(user_id: int, session_id: str) -> TokenPair:
    settings, secrets = get_settings(), token_secrets()
    access, renewal = settings.access_token_expires, settings.refresh_token_expires
    return {
        "access_token": jwt.sign(user_id, session_id, "access", secrets.access, access),
        "refresh_token": jwt.sign(user_id, session_id, "refresh", secrets.refresh, renewal),
    }
