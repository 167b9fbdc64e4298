"""On every endpoint a plan answers what FastAPI's own handler answers, for good and bad input.

FastAPI's own also validates each answer against the model of the route, and leaves out what is not
in it: so the models are exact, too.
"""

import json
import re
from typing import Any

import pytest
from operations import OPERATIONS, Operation

from dependencies.routing.planner import Planner

JSON, TEXT = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
# What differs from one request to the next: ids, times, tokens.
VARYING = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"
    r"|[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"
    r"|\d{6}:[\w-]{20,}"
    r"|\d+-\d+-\d{10}"
)
# Guests may do some things, and no token is a wrong question to the token service. With a token the
# stream needs no ticket, and a position that is none is answered with a `reset`.
MAY_SUCCEED = {"no token", "token in the path", "ticket in the query", "last_event_id in the query"}


@pytest.fixture
def ask(client, monkeypatch):
    """Status and body of an answer, of the plan or of FastAPI's own handler."""

    def ask(request: dict[str, Any], planned: bool) -> tuple[int, Any]:
        with monkeypatch.context() as patch:
            if not planned:
                patch.setattr(Planner, "plan", lambda self: None)
            answer = client.request(**request)
        body = VARYING.sub("*", answer.text)
        return answer.status_code, json.loads(body) if is_json(answer) else body

    return ask


def is_json(answer: Any) -> bool:
    return bool(answer.content) and answer.headers["Content-Type"] == "application/json"


def test_a_good_request(ask, new_world, subtests):
    for name in OPERATIONS:
        with subtests.test(name):
            by_plan = ask(new_world().good(name), planned=True)
            assert by_plan == ask(new_world().good(name), planned=False)
            assert by_plan[0] < 400


def test_a_bad_request(ask, new_world, subtests):
    for name, operation in OPERATIONS.items():
        for what, bad in bad_requests(operation, new_world().good(name)).items():
            with subtests.test(f"{name}: {what}"):
                by_plan = ask(bad, planned=True)
                assert by_plan == ask(bad, planned=False)
                assert by_plan[0] >= 400 or what in MAY_SUCCEED


def bad_requests(operation: Operation, good: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The good request with one thing wrong, by what that is."""
    bad = {}
    if operation.guard:
        bad["no token"] = good | {"headers": {}}
        bad["a bad token"] = good | {"headers": {"Authorization": "Bearer no.such.token"}}
    for name in operation.in_path:
        url = operation.path.format(**dict.fromkeys(operation.in_path, "-1") | {name: "%00"})
        bad[f"{name} in the path"] = good | {"url": url}
    for name in operation.parameters("query"):
        bad[f"{name} in the query"] = good | {"url": f"{good['url']}?{name}=%00%ff"}
    if operation.body_schema:
        without = {name: value for name, value in good.items() if name != "json"}
        headers = good["headers"] | JSON
        bad |= {
            "no object": good | {"json": ["text"]},
            "an unknown field": good | {"json": good["json"] | {"more": 1}},
            "wrong types": good | {"json": {field: {} for field in good["json"]}},
            "no JSON": without | {"content": b"{", "headers": headers},
            "no UTF-8": without | {"content": b'"\xff"', "headers": headers},
            "another type": without | {"content": b"{}", "headers": headers | TEXT},
            "too large": without | {"content": b" " * 70_000, "headers": headers},
        }
    return bad
