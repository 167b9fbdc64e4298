"""The administrator, created once; a second time changes nothing."""

import secrets
import string
import sys
from typing import Any

from pydantic import TypeAdapter, ValidationError

from config.startup import exit_with, running, settings_or_exit, started
from dto.fields import Password, UserName
from services import user_service
from services.access_rules import SYSTEM, acting_as
from utils.errors import Conflict

STDIN = "-"


def random_password() -> str:
    """Twenty characters of every kind that the rules ask for."""
    letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(17))
    return f"{letters}{secrets.choice('@$!%*?&')}{secrets.choice(string.digits)}a"


def check(what: str, rule: Any, value: str) -> None:
    """Ends the program with one line unless the value keeps the rules of `dto/fields.py`."""
    try:
        TypeAdapter[str](rule).validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
        exit_with(f"The {what} breaks a rule. {fault}.")


def create(user_name: str, password: str) -> bool:
    """False when there is a user of that name already."""
    try:
        with acting_as(SYSTEM):
            user_service.create(
                {
                    "user_name": user_name,
                    "password": password,
                    "first_name": "Admin",
                    "last_name": "Gopher",
                    "roles": ["admin"],
                    "is_active": True,
                    "is_superuser": True,
                }
            )
    except Conflict:
        return False
    return True


def create_superuser(user_name: str, password: str | None) -> None:
    """`password` may be STDIN, or None for a random one, which is printed."""
    given = sys.stdin.readline().rstrip("\n") if password == STDIN else password
    chosen = given or random_password()
    check("user name", UserName, user_name)
    check("password", Password, chosen)
    settings = settings_or_exit()
    with started(settings), running(settings, database_needed=True):
        created = create(user_name, chosen)
    if not created:
        print(f"There is a user {user_name} already; nothing was changed.")
    elif given:
        print(f"Created the superuser {user_name}.")
    else:
        print(f"Created the superuser {user_name} with the password {chosen}")
