"""Creates the administrator; a second run changes nothing."""

import secrets
import string
import sys
from typing import Any

from pydantic import TypeAdapter, ValidationError

from config.startup import exit_on_startup_error, exit_with_error, open_resources, settings_or_exit
from dto.fields import Password, UserName
from services import user_service
from services.access_rules import SYSTEM, acting_as
from utils.errors import Conflict

STDIN = "-"


def random_password() -> str:
    """20 characters, with each kind that the rules demand."""
    letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(17))
    return f"{letters}{secrets.choice('@$!%*?&')}{secrets.choice(string.digits)}a"


def check_rule(what: str, rule: Any, value: str) -> None:
    """Ends the program with one line when the value breaks the rule, one of `dto/fields.py`."""
    try:
        TypeAdapter[str](rule).validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
        exit_with_error(f"The {what} is not allowed. {fault}.")


def create(user_name: str, password: str) -> bool:
    """False when there is an active superuser of that name. Any other user of it ends the
    program."""
    try:
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
        user = user_service.get_by_name(user_name)
        if user["status"] and user.get("is_superuser"):
            return False
        exit_with_error(
            f"There is a user {user_name} who is no active superuser. "
            "Choose another name with --user-name."
        )
    return True


def create_superuser(user_name: str, password: str | None) -> None:
    """`password` may be STDIN, or None for a random one, which is printed."""
    given = sys.stdin.readline().rstrip("\n") if password == STDIN else password
    chosen = given or random_password()
    check_rule("user name", UserName, user_name)
    check_rule("password", Password, chosen)
    settings = settings_or_exit()
    with (
        exit_on_startup_error(settings),
        open_resources(settings, require_database=True),
        acting_as(SYSTEM),
    ):
        created = create(user_name, chosen)
    if not created:
        print(f"The user {user_name} exists already; nothing was changed.")
    elif given:
        print(f"Created the superuser {user_name}.")
    else:
        print(f"Created the superuser {user_name} with the password {chosen}")
