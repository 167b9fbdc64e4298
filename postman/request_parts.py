"""The parts of a request in Postman's format, made from an operation of the OpenAPI document."""

import json
import re
from collections.abc import Iterator
from typing import Any

import scenario

Json = dict[str, Any]


def ids_in_paths(document: Json) -> dict[str, str]:
    """The name of each value in a path, and its type."""
    return {
        each["name"]: each["schema"].get("type", "")
        for methods in document["paths"].values()
        for operation in methods.values()
        for each in operation.get("parameters", ())
        if each["in"] == "path"
    }


def body_examples(operation: Json) -> tuple[str, Json]:
    """The media type, and the examples by title."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        named = {title: each["value"] for title, each in content.get("examples", {}).items()}
        if len(named) > 1:
            return media_type, named
        return media_type, {"": content.get("example") or next(iter(named.values()))}
    return "", {"": None}


def headers(operation: Json, media_type: str) -> list[Json]:
    """Optional headers are there, switched off."""
    optional = [
        {
            "key": each["name"],
            "value": "{{$guid}}" if each["name"] == "Idempotency-Key" else "",
            "description": each["description"],
            "disabled": True,
        }
        for each in operation.get("parameters", ())
        if each["in"] == "header"
    ]
    return [*([{"key": "Content-Type", "value": media_type}] if media_type else []), *optional]


def url(path: str, operation: Json) -> Json:
    parts = re.sub(r"{(\w+)}", r":\1", path.removeprefix("/api/")).split("/")
    values = scenario.PATHS.get(operation["operationId"], {})
    asked = scenario.QUERIES.get(operation["operationId"], {})
    parameters = operation.get("parameters", ())
    return {
        "raw": "/".join(["{{api_url}}", *parts]),
        "host": ["{{api_url}}"],
        "path": parts,
        "query": [
            {
                "key": each["name"],
                "value": asked.get(each["name"], str(each["schema"].get("default", ""))),
                "description": each["description"],
                "disabled": each["name"] not in asked,
            }
            for each in parameters
            if each["in"] == "query"
        ],
        "variable": [
            {
                "key": each["name"],
                "value": values.get(each["name"], _variable(each["name"])),
                "description": each["description"],
            }
            for each in parameters
            if each["in"] == "path"
        ],
    }


def body(operation_id: str, media_type: str, example: Json, ids: dict[str, str]) -> Json:
    from_earlier = {
        name: _variable(name) for name in example if name.endswith("_id") and name in ids
    }
    from_earlier |= scenario.FIELDS.get(operation_id, {})
    fields = {name: from_earlier.get(name, value) for name, value in example.items()}
    if media_type != "application/json":
        form = [{"key": key, "value": _in_this_run(value)} for key, value in fields.items()]
        return {"mode": "urlencoded", "urlencoded": form}
    raw = _in_this_run(pretty(fields))
    for name in [name for name, kind in ids.items() if kind == "integer"]:
        for value in (_variable(name), str(fields.get(name))):
            raw = raw.replace(f'"{value}"', value)  # JSON has no quotes there
    return {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}


def tests(status: str, answer: Json) -> Iterator[str]:
    """The answer has its status, and the fields of its example."""
    yield f"pm.test('is {status}', () => pm.response.to.have.status({status}));"
    example = next(iter(answer.get("content", {}).values()), {}).get("example")
    if status == "204":
        yield "pm.test('has no body', () => pm.expect(pm.response.text()).to.equal(''));"
    elif isinstance(example, str):
        yield f"pm.test('says so', () => pm.expect(pm.response.text()).to.equal('{example}'));"
    else:
        yield "const body = pm.response.json();"
        rows, row = "[body]", example
        if isinstance(example, list):
            yield "pm.test('is a list', () => pm.expect(body).to.be.an('array'));"
            rows, row = "body", example[0]
        if isinstance(row, dict):
            fields = ", ".join(f"'{field}'" for field in row)
            yield f"pm.test('has its fields', () => {rows}.forEach((each) =>"
            yield f"  pm.expect(each).to.include.all.keys({fields})));"


def example_answer(status: str, answer: Json) -> Json:
    shown: Json = {"name": answer["description"], "code": int(status), "header": []}
    for media_type, content in answer.get("content", {}).items():
        shown["header"] = [{"key": "Content-Type", "value": media_type}]
        example = content["example"]
        shown["body"] = example if isinstance(example, str) else pretty(example)
    return shown


def bearer(token: str) -> Json:
    return {"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]}


def script(listen: str, code: str) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": code.split("\n")}}


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _variable(name: str) -> str:
    return f"{{{{{name}}}}}"


def _in_this_run(text: str) -> str:
    for pattern, variable in scenario.NEW_IN_EVERY_RUN:
        text = re.sub(pattern, variable, text)
    return text
