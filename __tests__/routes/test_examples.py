"""/openapi.json as a place to work: words, access, limits, and examples that work as they stand."""

import json
import re

import pytest
from fastapi import FastAPI
from operations import BY_NAME, DOCUMENT, OPERATIONS
from shop import settings_with

from dependencies.auth import require
from dependencies.documentation.answers import GENERAL_ERRORS
from dependencies.documentation.openapi import install_openapi
from repositories.sql import execute
from routes import TAGS, post_routes, system_routes
from services import access_cache

# As Swagger UI shows them: the tags in their order, and in each what the document has in its own.
TOP_TO_BOTTOM = [
    operation
    for tag in DOCUMENT["tags"]
    for operation in OPERATIONS.values()
    if operation.document["tags"] == [tag["name"]]
]


def example_values(operation):
    """Of what is in the path, by name."""
    return {name: each["example"] for name, each in operation.parameters("path").items()}


def test_every_operation_says_what_it_does_who_may_and_how_often(subtests):
    words = [r"^.+\.", r"\*\*Who:\*\* .+\.", r"\*\*How often:\*\* .+\.$"]
    for name, operation in OPERATIONS.items():
        with subtests.test(name):
            assert re.fullmatch(r"[a-z]+(_[a-z]+){0,3}", name), "no good name for a method"
            assert re.fullmatch(r"[A-Z][^`]{4,60}[^.]", operation.document["summary"])
            assert re.search("\n\n".join(words), operation.document["description"], re.DOTALL)
            assert TOP_TO_BOTTOM.count(operation) == 1


def test_every_operation_has_examples_of_what_comes_in_and_goes_out(subtests):
    for name, operation in OPERATIONS.items():
        with subtests.test(name):
            assert example_values(operation).keys() == set(operation.in_path)
            assert all(example_values(operation).values())
            assert all(value for _, value in operation.examples)
            assert not any(key.startswith("x-") for key in operation.document)
            for status, answer in operation.document["responses"].items():
                assert answer["description"] not in ("", "Successful Response")
                if status not in ("204", "304"):
                    assert all("example" in each for each in answer["content"].values()), status


def test_every_pattern_is_one_in_python_too():
    """Generated Python clients compile them."""
    patterns = set(re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(DOCUMENT)))
    assert len(patterns) > 3
    for pattern in patterns:
        re.compile(json.loads(pattern))


def test_every_tag_has_a_line_in_tags():
    """In `src/routes/__init__.py`; and every line is used."""
    used = {tag for operation in OPERATIONS.values() for tag in operation.document["tags"]}
    described = {tag["name"] for tag in TAGS}
    assert used == described, f"TAGS in src/routes/__init__.py: {used ^ described}"
    assert DOCUMENT["tags"] == TAGS
    assert all(tag["description"].endswith(".") for tag in TAGS)


def test_the_permission_is_the_one_that_is_asked_for(client, new_world, subtests):
    """Vera, who holds none, asks for what is not hers."""
    for name in [name for name, operation in OPERATIONS.items() if operation.permission]:
        with subtests.test(name):
            world = new_world()
            request, vera = world.good(name), world.new_person("gopher_vera")
            execute("DELETE FROM role_permissions")
            access_cache.invalidate_all()
            refusal = client.request(**request | {"headers": vera.headers})
            [permission] = re.findall(
                r"\*\*Who:\*\* .*?`(\w+:\w+)`", OPERATIONS[name].document["description"]
            )
            assert refusal.status_code == 403
            assert refusal.json()["error"] == f"This needs the permission {permission}"


def test_the_limits_are_those_of_the_settings():
    app = FastAPI()
    app.include_router(post_routes.router)
    install_openapi(app)
    with settings_with(RATE_LIMIT_POST="7/minute"):
        for operations in app.openapi()["paths"].values():
            for operation in operations.values():
                words = "7 per minute for each member, or each address without a token"
                assert f"**How often:** {words} (`RATE_LIMIT_POST`)." in operation["description"]


@pytest.mark.parametrize("where", ["app", "include"])
def test_a_guard_that_is_not_in_the_table_is_documented_too(where):
    guards = {where: [require("post:pin")]}
    app = FastAPI(dependencies=guards.get("app"), responses=GENERAL_ERRORS)
    app.include_router(system_routes.router, dependencies=guards.get("include"))
    install_openapi(app)
    for operations in app.openapi()["paths"].values():
        for operation in operations.values():
            assert "callers with the permission `post:pin`" in operation["description"]
            assert {"401", "403"} <= operation["responses"].keys()


class FirstVisit:
    """Somebody who opens the documentation of an empty GopherTalk and works it through, as a
    member, and again as the administrator where a permission is missing."""

    def __init__(self, client, admin, mails):
        self.client, self.admin, self.mails = client, admin, mails
        self.answers = {}

    def authorize(self):
        """Swagger UI's button, with the name and password of the examples."""
        _, form = OPERATIONS["get_access_token"].examples[0]
        token = self.client.post("/api/login/access-token", data=form).json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def send(self, operation, kind, body):
        values = example_values(operation)
        url = operation.path.format(**values | self.from_earlier_answers(operation))
        secrets = {"refresh_token", "token"} & (body or {}).keys()
        body = body and body | {key: self.secret(operation.id) for key in secrets}
        content = {"data" if "form" in str(kind) else "json": body}
        headers = self.headers_for(operation, values)
        answer = self.client.request(operation.method, url, headers=headers, **content)
        if answer.status_code == 403 and "needs the permission" in answer.text:
            headers = self.admin.headers
            answer = self.client.request(operation.method, url, headers=headers, **content)
        assert answer.is_success, f"{operation.name} {body}: {answer.status_code} {answer.text}"
        self.answers.setdefault(operation.id, []).append(answer)

    def headers_for(self, operation, values):
        if "security" not in operation.document:
            return {}
        somebody_else = values.get("user_id", 1) not in (1, "gopher_anna")
        return self.admin.headers if somebody_else else self.headers

    def from_earlier_answers(self, operation):
        """Nobody can guess a UUID: whoever asks for one has seen it in an answer, of the POST that
        made the thing, or of the list. What one deletes is the last that was made."""
        found = {}
        for name, parameter in operation.parameters("path").items():
            parent = operation.path.partition(f"/{{{name}}}")[0]
            if parameter["schema"].get("format") != "uuid":
                continue
            if made := self.answers.get(getattr(BY_NAME.get(f"POST {parent}"), "id", None)):
                found[name] = made[-(operation.method == "DELETE")].json()["id"]
            else:
                found[name] = self.client.get(parent, headers=self.headers).json()[0]["id"]
        return found

    def secret(self, name):
        """What a login answered, or what was in a mail."""
        if name == "refresh":
            return self.answers["login"][0].json()["refresh_token"]
        title = {"confirm_email": "Confirm", "reset_password": "Reset"}[name]
        mails = {subject.split()[0]: text for to, subject, text in self.mails() if "anna" in to}
        return mails[title].split("\n\n")[1]


def test_every_example_succeeds_from_top_to_bottom(client, person, mails):
    visit = FirstVisit(client, None, mails)
    for operation in TOP_TO_BOTTOM:
        for kind, body in operation.examples or [(None, None)]:
            visit.send(operation, kind, body)
        if operation.id == "register":
            visit.admin = person("admin", is_superuser=True)
        if operation.id in ("register", "end_sessions", "end_session"):  # the last two log out
            visit.authorize()
    assert visit.answers.keys() == OPERATIONS.keys()
