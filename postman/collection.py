"""Makes the Postman collection and its environment from the OpenAPI document.

`docs/generate.py` writes both. The same document gives the same bytes.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import request_parts
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
        "auth": request_parts.bearer("{{access_token}}"),
        "event": [
            request_parts.script("prerequest", scenario.BEFORE_EACH),
            request_parts.script("test", scenario.AFTER_EACH),
        ],
        "item": folders,
    }


def environment(document: Json) -> Json:
    name = f"{document['info']['title']} on this machine"
    values = {"api_url": "http://127.0.0.1:3000/api", "admin_user_name": "admin"}
    secrets = "access_token refresh_token admin_password admin_token mail_code stream_ticket"
    return {
        "id": _id_of(name),
        "name": name,
        "values": [
            *({"key": key, "value": value, "type": "default"} for key, value in values.items()),
            *({"key": key, "value": "", "type": "secret"} for key in secrets.split()),
        ],
        "_postman_variable_scope": "environment",
    }


def _folder(tag: Json, document: Json, by_admin: set[str]) -> Json:
    ids = request_parts.ids_in_paths(document)
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
        for item in _items(method, path, operation, by_admin, ids)
    ]
    return {"name": tag["name"], "description": tag["description"], "item": items}


def _items(
    method: str, path: str, operation: Json, by_admin: set[str], ids: dict[str, str]
) -> Iterator[Json]:
    """One request for each example of the operation's body, or one if it has no body."""
    name = operation["operationId"]
    status, answer = next(each for each in operation["responses"].items() if each[0][0] == "2")
    media_type, examples = request_parts.body_examples(operation)
    after = scenario.AFTER.get(name, [_keep_id(name, answer)])
    for index, (title, example) in enumerate(examples.items()):
        request = {
            "method": method.upper(),
            "header": request_parts.headers(operation, media_type),
            "url": request_parts.url(path, operation),
            "description": operation["description"],
        }
        if "security" not in operation:
            request["auth"] = {"type": "noauth"}
        elif name in by_admin:
            request["auth"] = request_parts.bearer("{{admin_token}}")
        if media_type:
            request["body"] = request_parts.body(name, media_type, example, ids)
        tests = [*request_parts.tests(status, answer), after[index] if index < len(after) else ""]
        yield {
            "name": ": ".join(filter(None, (operation["summary"], title))),
            "event": [request_parts.script("test", "\n".join(filter(None, tests)))],
            "request": request,
            "response": [request_parts.example_answer(status, answer)],
        }


def _keep_id(operation_id: str, answer: Json) -> str:
    """For `create_<thing>` whose answer has an id."""
    verb, _, thing = operation_id.partition("_")
    fields = next(iter(answer.get("content", {}).values()), {}).get("example")
    has_id = isinstance(fields, dict) and "id" in fields
    return scenario.keep(f"{thing}_id") if verb == "create" and has_id else ""


def _add_logins(folders: dict[str, list[Json]]) -> None:
    """The administrator's, and one more after the visitor has logged out."""
    login = next(item for item in folders["auth"] if item["name"] == "Log in")
    folders["sessions"].insert(-1, {**deepcopy(login), "name": "Log in again"})
    by_admin, words = deepcopy(login), scenario.ADMIN_LOGIN
    by_admin["request"]["description"] = words["description"]
    by_admin["request"]["body"]["raw"] = request_parts.pretty(words["body"])
    by_admin |= {"name": words["name"], "event": [request_parts.script("test", words["test"])]}
    folders["auth"].append(by_admin)


def _id_of(name: str) -> str:
    """Stays the same as long as the name does."""
    return str(uuid5(NAMESPACE_URL, f"gophertalk/{name}"))
