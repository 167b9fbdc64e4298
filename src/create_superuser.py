"""Creates the administrator, once: `python3 src/create_superuser.py [--password ...]`.

Without a password a random one is made and printed, once. A second run changes nothing.
"""

import argparse
import secrets
import string
import sys

from pydantic import TypeAdapter, ValidationError

from config.log import configure_logging
from config.startup import StartupError, exit_with, running, settings_or_exit
from dto.fields import Password, UserName
from services import user_service
from utils.errors import Conflict, Unavailable

STDIN = "-"


def random_password() -> str:
    """Twenty characters of every kind that the rules ask for."""
    letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(17))
    return f"{letters}{secrets.choice('@$!%*?&')}{secrets.choice(string.digits)}a"


def create(user_name: str, password: str) -> bool:
    """False when there is a user of that name already."""
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
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user-name", default="admin")
    parser.add_argument("--password", help="- reads it from the standard input")
    asked = parser.parse_args()
    given = sys.stdin.readline().rstrip("\n") if asked.password == STDIN else asked.password
    password = given or random_password()
    try:
        TypeAdapter(UserName).validate_python(asked.user_name)
        TypeAdapter(Password).validate_python(password)
    except ValidationError as error:
        exit_with(error.errors(include_input=False)[0]["msg"])
    settings = settings_or_exit()
    configure_logging(settings)
    try:
        with running(settings):
            created = create(asked.user_name, password)
    except (StartupError, Unavailable) as error:
        exit_with(str(error))
    if not created:
        print(f"There is a user {asked.user_name} already; nothing was changed.")
    elif given:
        print(f"Created the superuser {asked.user_name}.")
    else:
        print(f"Created the superuser {asked.user_name} with the password {password}")


if __name__ == "__main__":
    main()
