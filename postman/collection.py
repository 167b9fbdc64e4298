"""Makes the Postman collection and its environment from the OpenAPI document.

`docs/generate.py` writes both. The same document gives the same bytes.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import scenario

Json = dict[str, Any]

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def collection(document: Json, by_admin: set[str]) -> Json:
    """`by_admin`: ids of the operations that a member may not call."""
    title = document["info"]["title"]
    folders = [_folder(tag, document, by_admin | scenario.BY_ADMIN) for tag in document["tags"]]
    _add_logins({folder["name"]: folder["item"] for folder in folders})
    for folder in folders:
        folder["id"] = _id_of(folder["name"])
        for item in folder["item"]:
            item["id"] = _id_of(f"{folder['name']}/{item['name']}/{item['request']['method']}")
    return {
        "info": {
            "_postman_id": _id_of(title),
            "name": title,
            "description": scenario.ABOUT,
            "schema": SCHEMA,
        },
        "auth": _bearer("{{access_token}}"),
        "event": [
            _script("prerequest", scenario.BEFORE_EACH),
            _script("test", scenario.AFTER_EACH),
        ],
        "item": folders,
    }


def environment(document: Json) -> Json:
    name = f"{document['info']['title']} on this machine"
    values = {"api_url": "http://127.0.0.1:3000/api", "admin_user_name": "admin"}
    secrets = ("access_token", "refresh_token", "admin_password", "admin_token", "mail_code")
    return {
        "id": _id_of(name),
        "name": name,
        "values": [
            *({"key": key, "value": value, "type": "default"} for key, value in values.items()),
            *({"key": key, "value": "", "type": "secret"} for key in secrets),
        ],
        "_postman_variable_scope": "environment",
    }


def _folder(tag: Json, document: Json, by_admin: set[str]) -> Json:
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        # Create, then list: there is something to list.
        for method, operation in sorted(methods.items(), key=lambda item: item[0] != "post")
        if tag["name"] in operation["tags"]
    ]
    operations.sort(key=lambda each: each[2]["operationId"] == scenario.LOGIN_BEFORE)
    items = [
        item
        for method, path, operation in operations
        for item in _items(method, path, operation, by_admin)
    ]
    return {"name": tag["name"], "description": tag["description"], "item": items}


def _items(method: str, path: str, operation: Json, by_admin: set[str]) -> Iterator[Json]:
    """One request for each example of the operation's body, or one if it has no body."""
    name = operation["operationId"]
    status, answer = next(each for each in operation["responses"].items() if each[0][0] == "2")
    media_type, examples = _body_examples(operation)
    after = scenario.AFTER.get(name, [_keep_id(name, answer)])
    for index, (title, example) in enumerate(examples.items()):
        request = {
            "method": method.upper(),
            "header": _headers(operation, media_type),
            "url": _url(path, operation),
            "description": operation["description"],
        }
        if "security" not in operation:
            request["auth"] = {"type": "noauth"}
        elif name in by_admin:
            request["auth"] = _bearer("{{admin_token}}")
        if media_type:
            request["body"] = _body(name, media_type, example)
        tests = [*_tests(status, answer), after[index] if index < len(after) else ""]
        yield {
            "name": ": ".join(filter(None, (operation["summary"], title))),
            "event": [_script("test", "\n".join(filter(None, tests)))],
            "request": request,
            "response": [_example_answer(status, answer)],
        }


def _body_examples(operation: Json) -> tuple[str, Json]:
    """The media type, and the examples by title."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        named = {title: each["value"] for title, each in content.get("examples", {}).items()}
        if len(named) > 1:
            return media_type, named
        return media_type, {"": content.get("example") or next(iter(named.values()))}
    return "", {"": None}


def _keep_id(operation_id: str, answer: Json) -> str:
    """For `create_<thing>` whose answer has an id."""
    verb, _, thing = operation_id.partition("_")
    fields = next(iter(answer.get("content", {}).values()), {}).get("example")
    has_id = isinstance(fields, dict) and "id" in fields
    return scenario.keep(f"{thing}_id") if verb == "create" and has_id else ""


def _tests(status: str, answer: Json) -> Iterator[str]:
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
            yield f"  pm.expect(each).to.have.all.keys({fields})));"


def _headers(operation: Json, media_type: str) -> list[Json]:
    """Optional headers are there, switched off."""
    optional = [
        {
            "key": each["name"],
            "value": "{{$guid}}",
            "description": each["description"],
            "disabled": True,
        }
        for each in operation.get("parameters", ())
        if each["in"] == "header"
    ]
    return [*([{"key": "Content-Type", "value": media_type}] if media_type else []), *optional]


def _url(path: str, operation: Json) -> Json:
    parts = re.sub(r"{(\w+)}", r":\1", path.removeprefix("/api/")).split("/")
    values = scenario.PATHS.get(operation["operationId"], {})
    parameters = operation.get("parameters", ())
    return {
        "raw": "/".join(["{{api_url}}", *parts]),
        "host": ["{{api_url}}"],
        "path": parts,
        "query": [
            {
                "key": each["name"],
                "value": str(each["schema"].get("default", "")),
                "description": each["description"],
                "disabled": True,
            }
            for each in parameters
            if each["in"] == "query"
        ],
        "variable": [
            {
                "key": each["name"],
                "value": values.get(each["name"], f"{{{{{each['name']}}}}}"),
                "description": each["description"],
            }
            for each in parameters
            if each["in"] == "path"
        ],
    }


def _body(operation_id: str, media_type: str, example: Json) -> Json:
    from_earlier = scenario.FIELDS.get(operation_id, {})
    fields = {name: from_earlier.get(name, value) for name, value in example.items()}
    if media_type != "application/json":
        form = [{"key": key, "value": _in_this_run(value)} for key, value in fields.items()]
        return {"mode": "urlencoded", "urlencoded": form}
    raw = _in_this_run(_pretty(fields))
    for number in scenario.NUMBERS:
        raw = raw.replace(f'"{{{{{number}}}}}"', f"{{{{{number}}}}}")
    return {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}


def _in_this_run(text: str) -> str:
    for pattern, variable in scenario.NEW_IN_EVERY_RUN:
        text = re.sub(pattern, variable, text)
    return text


def _example_answer(status: str, answer: Json) -> Json:
    shown: Json = {"name": answer["description"], "code": int(status), "header": []}
    for media_type, content in answer.get("content", {}).items():
        shown["header"] = [{"key": "Content-Type", "value": media_type}]
        example = content["example"]
        shown["body"] = example if isinstance(example, str) else _pretty(example)
    return shown


def _add_logins(folders: dict[str, list[Json]]) -> None:
    """The administrator's, and one more after the visitor has logged out."""
    login = next(item for item in folders["auth"] if item["name"] == "Log in")
    folders["sessions"].insert(-1, {**deepcopy(login), "name": "Log in again"})
    by_admin, words = deepcopy(login), scenario.ADMIN_LOGIN
    by_admin["request"]["description"] = words["description"]
    by_admin["request"]["body"]["raw"] = _pretty(words["body"])
    by_admin |= {"name": words["name"], "event": [_script("test", words["test"])]}
    folders["auth"].append(by_admin)


def _script(listen: str, code: str) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": code.split("\n")}}


def _bearer(token: str) -> Json:
    return {"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]}


def _id_of(name: str) -> str:
    """Stays the same as long as the name does."""
    return str(uuid5(NAMESPACE_URL, f"gophertalk/{name}"))


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
