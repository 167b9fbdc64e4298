"""What no endpoint may take, thrown at every field and parameter that /openapi.json names.

Whoever adds an endpoint need not come here. `routes/test_hostile_input.py` has what takes more
than a schema to write.
"""

import json
from copy import deepcopy
from itertools import cycle

import pytest
from empty_database import empty_database
from fastapi.testclient import TestClient
from operations import OPERATIONS

from app import app
from services import open_streams

MARK = "Sesame99"
NEVER_IN_JSON = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "1e400": b"1e400",
    "-1e400": b"-1e400",
    "2**64": b"18446744073709551616",
    "5,000 digits": b"9" * 5000,
    "NUL": rb'"Sesame99\u0000"',
    "a raw NUL": b'"Sesame99\0"',
    "half a surrogate pair": rb'"Sesame99\ud800"',
    "the other half": rb'"Sesame99\udc00"',
    "a surrogate in UTF-8": b'"Sesame99\xed\xa0\x80"',
    "invalid UTF-8": b'"Sesame99\xff"',
    "overlong UTF-8": b'"Sesame99\xc0\x80"',
    "cut UTF-8": b'"Sesame99\xd0"',
    "a raw line end": b'"Sesame99\n"',
    "60,000 letters": b'"' + b"Sesame99" * 7500 + b'"',
    "30,000 arrays": b"[" * 30_000,
    "15,000 closed arrays": b"[" * 15_000 + b"]" * 15_000,
    "10,000 objects": b'{"a":' * 10_000,
    "5,000 closed objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "an unknown field": b'{"unknown": 1}',
}
NEVER_A_BODY = {
    "a blank": b" ",
    "an array": b"[]",
    "a text": b'"text"',
    "a number": b"1",
    "NaN": b"NaN",
    "a cut object": b'{"text": "a"',
    "two objects": b"{}{}",
    "single quotes": b"{'text': 'a'}",
    "bytes": bytes(range(256)),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "a form": b"text=a&user_name=gopher_anna",
    "half a surrogate pair as key": rb'{"\ud800": 1}',
    "NUL as key": rb'{"\u0000": 1}',
    "an empty key": b'{"": 1}',
    "a long key": b'{"' + b"k" * 60_000 + b'": 1}',
    "__proto__": b'{"__proto__": {"is_superuser": true}}',
    "__class__": b'{"__class__": 1, "model_config": 2}',
}
NEVER_A_NUMBER = [
    *("-1", "+1", "1.0", "1e1", "0x1", "1_0", "%201", "1%20", "NaN", "Infinity", "true", "null"),
    *("%00", "1%00", "%ff", "%EF%BC%91", "%D9%A1", "%C2%B2", "1,2", "[1]", "1;2", "1'--"),
    *(str(2**53), str(2**63), str(2**64), "9" * 5000, "-" + "9" * 400, "1e400"),
]
NEVER_A_TEXT = ["%00", "a%00", "%ff", "%ed%a0%80", "%c0%80"]
JSON_OPERATIONS = {name: each for name, each in OPERATIONS.items() if each.body_schema}
IS_JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def root(database, new_person):
    empty_database()
    return new_person("gopher_root", is_superuser=True)


@pytest.fixture
def send(root, monkeypatch):
    """Nearly nothing here succeeds, so all tests share a superuser. A stream ends at once, as it
    does when the server stops: a test client reads each answer to its end."""
    monkeypatch.setattr(open_streams, "is_stopping", True)
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    client.headers.update(root.headers)

    def send(operation, end="", *, path=None, **options):
        url = operation.path.format(**nothing_of(operation) | (path or {}))
        return client.request(operation.method, url + end, **options)

    return send


def nothing_of(operation):
    """Of every value in the path: one that can be, although nothing has it."""
    return {
        name: each["example"] if each["schema"].get("format") == "uuid" else 2**53 - 1
        for name, each in operation.parameters("path").items()
    }


def example_of(operation):
    """None where there is no JSON body."""
    return operation.examples[0][1] if operation.body_schema else None


def check(answer, *allowed):
    assert answer.status_code in allowed, answer.text[:300]
    assert answer.json().keys() == {"detail", "error"}
    assert MARK not in answer.text
    assert len(answer.content) < 5000


def places_in(value, way=()):
    """The ways to every value in an example, whole first."""
    yield way
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*way, key)
        if isinstance(inner, dict | list):
            yield from places_in(inner, (*way, key))


def spoilt(example, way, raw):
    """The example as JSON, with `raw` in one place."""
    if not way:
        return raw
    body = deepcopy(example)
    inner = body
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = "@@@"
    return json.dumps(body).encode().replace(b'"@@@"', raw)


class TestEveryBody:
    def test_refuses_every_value_and_in_every_place(self, send, subtests):
        """The values go round the places, so that each meets each operation."""
        for name, operation in JSON_OPERATIONS.items():
            example = example_of(operation)
            places = {
                *places_in(example),
                *(
                    (name,)
                    for name, field in operation.body_schema["properties"].items()
                    if not field.get("readOnly")  # it is not looked at
                ),
            }
            assert len(places) <= len(NEVER_IN_JSON), "some place would be left out"
            for way, (value, raw) in zip(cycle(sorted(places, key=str)), NEVER_IN_JSON.items()):
                with subtests.test(f"{name}: {value} at {way}"):
                    content = spoilt(example, way, raw)
                    check(send(operation, content=content, headers=IS_JSON), 422)

    def test_is_an_object(self, send, subtests):
        for name, operation in JSON_OPERATIONS.items():
            for value, content in NEVER_A_BODY.items():
                with subtests.test(f"{name}: {value}"):
                    check(send(operation, content=content, headers=IS_JSON), 422)

    def test_is_utf_8(self, send, subtests):
        for name, operation in JSON_OPERATIONS.items():
            for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"):
                with subtests.test(f"{name}: {encoding}"):
                    content = json.dumps(example_of(operation)).encode(encoding)
                    headers = {"Content-Type": f"application/json; charset={encoding}"}
                    is_the_same = content.isascii() and b"\0" not in content
                    if not is_the_same:
                        check(send(operation, content=content, headers=headers), 422)

    def test_says_that_it_is_json(self, send, subtests):
        kinds = (
            "text/plain",
            "multipart/form-data",
            "text/json",
            "application/xml",
            "x",
            "",
            "\xff",
        )
        for name, operation in JSON_OPERATIONS.items():
            content = json.dumps(example_of(operation))
            for kind in kinds:
                with subtests.test(f"{name}: {kind}"):
                    headers = {"Content-Type": kind.encode("latin-1")}
                    check(send(operation, content=content, headers=headers), 422)
            check(send(operation, content=content), 422)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_has_64_kib_at_most(self, send, subtests, chunked):
        for name, operation in JSON_OPERATIONS.items():
            with subtests.test(name):
                for size, status in ((65_536, 422), (65_537, 413)):
                    content = b'{"unknown": 1}'.ljust(size)
                    parts = iter([content[:40_000], content[40_000:]]) if chunked else content
                    check(send(operation, content=parts, headers=IS_JSON), status)

    def test_has_no_field_that_is_not_its_to_say(self, send, subtests):
        """Of a superuser, whom no guard stops. Nothing is ignored: the sender is told."""
        for name, operation in JSON_OPERATIONS.items():
            with subtests.test(name):
                schema = operation.body_schema
                foreign = {
                    key: value for key, value in RIGHTS.items() if key not in schema["properties"]
                }
                answer = send(operation, json=example_of(operation) | foreign)
                told = {fault["loc"][-1] for fault in answer.json()["detail"]}
                assert schema["additionalProperties"] is False
                assert (answer.status_code, told) == (422, foreign.keys())


RIGHTS = {
    **{"id": 1, "user_id": 1, "owner_id": 1, "sub": "1", "sid": "1", "session_id": "1"},
    **{"is_superuser": True, "is_active": True, "is_builtin": False, "status": 1, "role": "admin"},
    **{"roles": ["admin"], "permissions": ["role:write"], "password_hash": "x", "purpose": "x"},
    **{"price": "0.01", "total_price": "0.01", "likes_count": 9, "created_at": "2020-01-01"},
    **{"deleted_at": None, "email_confirmed": True, "__proto__": {}, "__class__": "x"},
}


def parameters(place):
    """Without those of the stream: it answers an id that is none by the event `reset`."""
    return [
        (f"{name} {parameter}", operation, parameter, details["schema"])
        for name, operation in OPERATIONS.items()
        if name != "read_stream"
        for parameter, details in operation.parameters(place).items()
    ]


def test_every_path_parameter_refuses_what_it_cannot_be(send, subtests):
    for name, operation, parameter, schema in parameters("path"):
        kinds = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", []))}
        for value in NEVER_A_NUMBER if "integer" in kinds else NEVER_A_TEXT:
            with subtests.test(f"{name}: {value[:20]}"):
                answer = send(operation, path={parameter: value}, json=example_of(operation))
                if (
                    operation.id == "check_token"
                ):  # anything is a token, and nearly nothing a good one
                    assert answer.json() == {"status_code": 200, "status": False}
                else:
                    # `NaN` might be somebody's name.
                    check(answer, 422, 404 if "string" in kinds else 422)


def test_every_query_parameter_refuses_what_it_cannot_be(send, subtests):
    for name, operation, parameter, schema in parameters("query"):
        is_text, is_flag = schema.get("type") == "string", schema.get("type") == "boolean"
        # Of several the last counts, so a good one before it does not help.
        good = f"{parameter}={schema.get('default', 1)}"
        for value in NEVER_A_TEXT if is_text else NEVER_A_NUMBER:
            if not (is_flag and value == "true"):
                with subtests.test(f"{name}: {value[:20]}"):
                    check(send(operation, f"?{good}&{parameter}={value}"), 422)


def test_no_operation_has_a_use_for_other_parameters(send, subtests):
    """Neither many nor odd ones change anything, nor break it."""
    queries = ["&".join(f"a{n}=1" for n in range(1000)), "%ff=%00", "=", "&&&", "a" * 60_000]
    for name, operation in OPERATIONS.items():
        body = example_of(operation)
        before = send(operation, json=body).status_code
        for query in queries:
            with subtests.test(f"{name}: {query[:20]}"):
                # What succeeds once (a registration) conflicts the second time.
                answer = send(operation, f"?{query}", json=body)
                assert answer.status_code in {before, 409, 401, 404}
