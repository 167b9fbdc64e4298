"""A small community, and for each operation of the API a request that succeeds in it.

The requests are derived: the body is the first example in /openapi.json, an id in the path comes
from the POST on the path before it, and the guard says who must send it. What cannot be derived
stands in the two tables at the end.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
from empty_database import empty_database
from operations import BY_NAME, OPERATIONS, Operation

from config.secrets import token_secrets
from dependencies.auth import OwnOrPermission
from repositories import token_repository
from repositories.sql import execute, fetch_all, transaction
from services import token_service
from utils import jwt


@lru_cache
def permissions_of(*roles: str) -> frozenset[str]:
    """What these built-in roles hold after the migrations."""
    rows = fetch_all(
        """
        SELECT p.resource || ':' || p.action AS name
        FROM migrated.role_permissions rp
        JOIN migrated.roles r ON r.id = rp.role_id
        JOIN migrated.permissions p ON p.id = rp.permission_id
        WHERE r.name = ANY(%s)
        """,
        (list(roles),),
    )
    return frozenset(row["name"] for row in rows)


class World:
    """Empties the database, then creates Anna, a superuser, post 1 and product 1: the examples in
    the documentation refer to these."""

    def __init__(self, client: Any, new_person: Callable[..., Any]) -> None:
        empty_database()
        self.client, self.new_person = client, new_person
        self.anna = new_person("gopher_anna", email="anna@example.org")
        self.root = new_person("gopher_root", is_superuser=True)
        execute("INSERT INTO posts (text, user_id) VALUES ('Hello', %s)", (self.anna.id,))
        execute("INSERT INTO products (name, price) VALUES ('Mug', 10.10)")

    def good(self, operation_id: str, caller: Any = None, **in_path: Any) -> dict[str, Any]:
        """A request that succeeds: `client.request(**world.good("like_post"))`. Without a
        `caller` Anna sends it, or the superuser where members lack the permission. Values in the
        path can be given: `good("like_post", post_id=7)`."""
        operation = OPERATIONS[operation_id]
        caller = caller or self._default_caller(operation)
        for name in set(operation.in_path) - in_path.keys():
            in_path[name] = self.value(name, operation, caller)
        url = operation.path.format(**in_path)
        headers = caller.headers if operation.guard else {}
        if operation.method == "DELETE" and f"POST {operation.path}" in BY_NAME:
            self.client.post(url, headers=headers)  # a like must exist before it is removed
        request = {"method": operation.method, "url": url, "headers": headers}
        for kind, example in operation.examples[:1]:
            own = OWN_BODIES.get(operation_id, lambda _: {})(caller)
            request["data" if "form" in kind else "json"] = example | own
        return request

    def value(self, name: str, operation: Operation, owner: Any) -> Any:
        """A value for this name in the path: the id of something that exists. It belongs to the
        owner if they have the permission to create it, else to the superuser."""
        if operation.path.endswith(("/follow", "/mute", "/block")):  # nobody does it to oneself
            return self.root.id if owner is self.anna else self.anna.id
        if name in OWN_VALUES:
            return OWN_VALUES[name](owner)
        post = f"POST {operation.path.partition(f'/{{{name}}}')[0]}"
        if post not in BY_NAME:
            pytest.fail(f"There is no {post}: add {name} to OWN_VALUES in {__file__}")
        for maker in (owner, self.root):
            answer = self.client.request(**self.good(BY_NAME[post].id, maker))
            if answer.is_success:
                made = answer.json()
                return made[name] if name in made else made["id"]
        return pytest.fail(f"The example of {post} fails: {answer.status_code} {answer.text}")

    def _default_caller(self, operation: Operation) -> Any:
        own = isinstance(operation.guard, OwnOrPermission)
        needs = None if own else operation.permission
        return self.anna if needs in {None, *permissions_of("guest", "user")} else self.root


def mailed_token(purpose: Any) -> Callable[[Any], dict[str, str]]:
    def body(owner: Any) -> dict[str, str]:
        token = token_service.new_token()
        with transaction() as conn:
            token_repository.set_user_token(owner.id, purpose, token, 60, conn)
        return {"token": token}

    return body


def session_of(owner: Any) -> str:
    return jwt.read(owner.access_token, "access", token_secrets().access)["sid"]


# Values in paths that no POST on the path before them creates.
OWN_VALUES: dict[str, Callable[[Any], Any]] = {
    "session_id": session_of,
    "token": lambda _: token_service.issue(60),
    "user_id": lambda owner: owner.id,
}
# Fields of bodies, by operation, that a fixed example cannot have.
OWN_BODIES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "confirm_email": mailed_token("email_confirm"),
    # Nobody reports themself; Anna and the superuser have the ids 1 and 2.
    "create_report": lambda owner: {"user_id": 2 if owner.id == 1 else 1},
    "refresh": lambda owner: {"refresh_token": owner.refresh_token},
    "register": lambda _: {"user_name": "gopher_new", "email": "new@example.org"},
    "reset_password": mailed_token("password_reset"),
    "set_user_roles": lambda _: {"roles": ["admin"]},
}
