"""What schemathesis cannot know from the schema. `test_fuzz.py` names this module to it.

No operation is left out and no check is off but those that `fuzz.toml` names. A refusal of
valid data is accepted only where it says one of the sentences below, which name the rules that no
JSON schema can express.
"""

import os
from itertools import count
from uuid import uuid4

import regex
import requests
import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

PERSON_NAMES = ("first_name", "last_name", "middle_name")
NO_SCHEMA_CAN_SAY = (
    "password_confirm: Passwords do not match",  # two fields are equal
    "email: value is not a valid email address",  # `format: email` knows no reserved domains
    "No fields to update",  # current_password is sent along with a change, and is none
    # They depend on earlier requests.
    "The product has changed since you have read it",
    "Idempotency-Key: This Idempotency-Key was used for another request",
    *(f"{name}: Only letters allowed" for name in PERSON_NAMES),  # what a letter is
    "password: Needs a letter",  # the same
    "password: Must not be longer than 72 bytes",  # a schema counts characters
    "following: following goes together with limit and cursor alone",
    "cursor: cursor goes together with search alone",
    "refresh_token: Field required",  # but for the cookie mode
    "body: In the cookie mode it comes in the cookie",
    "body: Either post_id or user_id is needed",  # exactly one of two
    "items: Each product may stand in an order once",  # no two items have the same product_id
)
# These may end the caller's session or account; somebody who is there for that alone asks
# instead. A superuser cannot delete their own account.
ENDS_THE_CALLER = {"logout", "end_session", "end_sessions"}
if os.environ["FUZZ_CALLER"] == "member":
    ENDS_THE_CALLER.add("delete_user")
AUTHORIZATION = os.environ.get("FUZZ_AUTHORIZATION")
PASSWORD = "gopher1!"
numbers = count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    # Every other time, so that the rules themselves are met too.
    if isinstance(body, dict) and next(numbers) % 2:
        if "password_confirm" in body:
            body["password_confirm"] = body.get("password")
        for name in PERSON_NAMES:
            if isinstance(body.get(name), str):
                body[name] = regex.sub(r"\P{L}", "я", body[name])
    operation = case.operation.definition.raw["operationId"]
    if operation in ("put_user", "update_user") and isinstance(body, dict):
        # It may be the caller's own account, and once there is a second superuser this counts.
        body.pop("is_active", None)
    if AUTHORIZATION:
        case.headers["Authorization"] = AUTHORIZATION
    if AUTHORIZATION and operation in ENDS_THE_CALLER:
        case.headers["Authorization"] = f"Bearer {_newcomers_token(case.operation.base_url)}"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """False drops it."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    return not response.json()["error"].startswith(NO_SCHEMA_CAN_SAY)


def _newcomers_token(url):
    names = {"user_name": f"new_{uuid4().hex[:20]}", "first_name": "New", "last_name": "Comer"}
    body = {**names, "password": PASSWORD, "password_confirm": PASSWORD}
    answer = requests.post(f"{url.rstrip('/')}/api/auth/register", json=body, timeout=30)
    return answer.json()["access_token"]
