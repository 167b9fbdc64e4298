"""What no endpoint may take, thrown at every field and parameter that /openapi.json names.

Whoever adds an endpoint need not come here. `routes/test_hostile_input.py` has what takes more
than a schema to write.
"""

import json
import re
from copy import deepcopy

import pytest
from empty_database import empty_database
from fastapi.testclient import TestClient
from shop import headers_of, new_user

from app import app

SPEC = app.openapi()
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in SPEC["paths"].items()
    for method, operation in methods.items()
}
# Of every type of path parameter: one that can be, although nothing has it.
ANY = {"integer": "9007199254740991", "uuid": "00000000-0000-4000-8000-000000000000"}
MARK = "Sesame99"
NEVER_JSON = {
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
    "a surrogate in UTF-8": b'"Sesame99\xed\xa0\x80"',
    "invalid UTF-8": b'"Sesame99\xff"',
    "overlong UTF-8": b'"Sesame99\xc0\x80"',
    "60,000 letters": b'"' + b"Sesame99" * 7500 + b'"',
    "30,000 arrays": b"[" * 30_000,
    "15,000 closed arrays": b"[" * 15_000 + b"]" * 15_000,
    "5,000 closed objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "an unknown field": b'{"unknown": 1}',
}
NEVER_A_NUMBER = [
    *("-1", "+1", "1.0", "1e1", "0x1", "1_0", "%201", "1%20", "NaN", "Infinity", "true", "null"),
    *("%00", "1%00", "%ff", "%EF%BC%91", "%D9%A1", "%C2%B2", "1,2", "[1]", "1;2", "1'--"),
    *(str(2**53), str(2**63), str(2**64), "9" * 5000, "-" + "9" * 400, "1e400"),
]
NEVER_A_TEXT = ["%00", "a%00", "%ff", "%ed%a0%80", "%c0%80"]


@pytest.fixture(scope="module")
def root_id(database):
    empty_database()
    return new_user("gopher_root", is_superuser=True)


@pytest.fixture
def send(root_id):
    """Nearly nothing here succeeds, so all tests share a superuser; but some log out."""
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    client.headers.update(headers_of(root_id))
    return client.request


def resolved(schema):
    return (
        SPEC["components"]["schemas"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
    )


def body_of(operation):
    """The JSON schema of its body, by name and schema of each field, and a valid example."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    schema = content["application/json"]["schema"]
    [schema] = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    schema = resolved(schema)
    example = schema.get("example") or {
        name: (field.get("examples") or [field.get("default")])[0]
        for name, field in schema["properties"].items()
    }
    return schema["properties"], example


def url_of(path, operation, **values):
    types = {each["name"]: each["schema"] for each in operation.get("parameters", [])}

    def value(match):
        name = match[1]
        kind = types[name].get("format") or types[name].get("type") or "integer"
        return values.get(name, ANY.get(kind, MARK))

    return re.sub(r"{(\w+)}", value, path)


def check(answer, *allowed):
    assert answer.status_code in allowed, answer.text
    assert answer.json().keys() == {"detail", "error"}
    assert MARK not in answer.text
    assert len(answer.content) < 5000


JSON_OPERATIONS = [name for name, (*_, each) in OPERATIONS.items() if body_of(each)]


def fields_of(value, path=()):
    """The ways to every value in an example, whole first."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from fields_of(inner, (*path, key))


def spoilt(example, way, raw):
    """The example as JSON, with `raw` in one place."""
    place = '"@@@"'
    if not way:
        return raw
    body = deepcopy(example)
    inner = body
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = "@@@"
    return json.dumps(body).encode().replace(place.encode(), raw)


@pytest.mark.parametrize("name", JSON_OPERATIONS)
class TestEveryBody:
    @pytest.mark.parametrize("value", NEVER_JSON)
    def test_refuses_it_in_every_place(self, send, name, value):
        method, path, operation = OPERATIONS[name]
        fields, example = body_of(operation)
        headers = {"Content-Type": "application/json"}
        for way in set(fields_of(example)) | {(field,) for field in fields}:
            content = spoilt(example, way, NEVER_JSON[value])
            answer = send(method, url_of(path, operation), content=content, headers=headers)
            check(answer, 422)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"])
    def test_is_utf_8(self, send, name, encoding):
        method, path, operation = OPERATIONS[name]
        content = json.dumps(body_of(operation)[1]).encode(encoding)
        headers = {"Content-Type": f"application/json; charset={encoding}"}
        answer = send(method, url_of(path, operation), content=content, headers=headers)
        if content.isascii() and b"\0" not in content:
            return  # the same in both
        check(answer, 422)

    @pytest.mark.parametrize("kind", [None, "text/plain", "multipart/form-data", "text/json", "x"])
    def test_says_that_it_is_json(self, send, name, kind):
        method, path, operation = OPERATIONS[name]
        content = json.dumps(body_of(operation)[1])
        headers = {"Content-Type": kind} if kind else {}
        check(send(method, url_of(path, operation), content=content, headers=headers), 422)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_has_64_kib_at_most(self, send, name, chunked):
        method, path, operation = OPERATIONS[name]
        content = json.dumps(body_of(operation)[1]).encode().ljust(65_537)
        parts = iter([content[:40_000], content[40_000:]]) if chunked else content
        headers = {"Content-Type": "application/json"}
        check(send(method, url_of(path, operation), content=parts, headers=headers), 413)


def parameters(place):
    return [
        (name, parameter["name"], parameter["schema"])
        for name, (*_, operation) in OPERATIONS.items()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == place
    ]


def ids(value):
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("name", "parameter", "schema"), parameters("path"), ids=ids)
def test_every_path_parameter_refuses_what_it_cannot_be(send, name, parameter, schema):
    method, path, operation = OPERATIONS[name]
    kinds = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", []))}
    bad = NEVER_A_NUMBER if "integer" in kinds else NEVER_A_TEXT
    example = body_of(operation)
    for value in bad:
        url = url_of(path, operation, **{parameter: value})
        answer = send(method, url, json=example and example[1])
        if name == "check_token":  # anything is a token, and nearly nothing a good one
            assert answer.json() == {"status_code": 200, "status": False}
        else:
            # `NaN` might be somebody's name.
            check(answer, 422, 404 if "string" in kinds else 422)


@pytest.mark.parametrize(("name", "parameter", "schema"), parameters("query"), ids=ids)
def test_every_query_parameter_refuses_what_it_cannot_be(send, name, parameter, schema):
    method, path, operation = OPERATIONS[name]
    bad = NEVER_A_TEXT if schema.get("type") == "string" else NEVER_A_NUMBER
    if schema.get("type") == "boolean":
        bad = [value for value in bad if value != "true"]
    url = url_of(path, operation)
    for value in bad:
        check(send(method, f"{url}?{parameter}={value}"), 422)
        # Of several the last counts, so a good one before it does not help.
        good = schema.get("default", 1)
        check(send(method, f"{url}?{parameter}={good}&{parameter}={value}"), 422)


@pytest.mark.parametrize("name", OPERATIONS)
class TestEveryOperation:
    def test_has_no_use_for_other_parameters(self, send, name):
        """Neither many nor odd ones change anything, nor break it."""
        method, path, operation = OPERATIONS[name]
        url, example = url_of(path, operation), body_of(operation)
        before = send(method, url, json=example and example[1]).status_code
        queries = ["&".join(f"a{n}=1" for n in range(5000)), "%ff=%00", "=", "&&&", "a" * 60_000]
        for query in queries:
            answer = send(method, f"{url}?{query}", json=example and example[1])
            # What succeeds once (a registration) conflicts the second time.
            assert answer.status_code in {before, 409, 401, 404}, query[:20]
