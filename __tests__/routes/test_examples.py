"""/openapi.json as a place to work: words, access, limits, and examples that work as they stand."""

import json
import re

import pytest
from fastapi import FastAPI
from shop import settings_with

from app import app
from dependencies.documentation.openapi import install_openapi
from repositories.sql import execute
from routes import TAGS, post_routes
from services import session_service

DOCUMENT = app.openapi()
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
# As Swagger UI shows them: the tags in their order, and in each what the document has in its own.
TOP_TO_BOTTOM = [
    name
    for tag in DOCUMENT["tags"]
    for name, (_, _, operation) in OPERATIONS.items()
    if operation["tags"] == [tag["name"]]
]
PERMISSIONS = {
    name: re.findall(r"\*\*Who:\*\* .*?`(\w+:\w+)`", operation["description"])
    for name, (_, _, operation) in OPERATIONS.items()
}


def bodies(operation):
    """Of a request: pairs of media type and example; one pair of None, if it has no body."""
    content = operation.get("requestBody", {"content": {None: {"example": None}}})["content"]
    return [
        (kind, example)
        for kind, media in content.items()
        for example in (
            [each["value"] for each in media["examples"].values()]
            if "examples" in media
            else [media["example"]]
        )
    ]


def example_values(operation):
    """Of what is in the path, by name."""
    parameters = operation.get("parameters", ())
    return {each["name"]: each["example"] for each in parameters if "example" in each}


@pytest.mark.parametrize("name", OPERATIONS)
class TestEveryOperation:
    def test_says_what_it_does_who_may_and_how_often(self, name):
        summary, words = OPERATIONS[name][2]["summary"], OPERATIONS[name][2]["description"]
        assert re.fullmatch(r"[A-Z][^`]{4,60}[^.]", summary)
        parts = [r"^.+\.", r"\*\*Who:\*\* .+\.", r"\*\*How often:\*\* .+\.$"]
        assert re.search("\n\n".join(parts), words, re.DOTALL)

    def test_has_an_id_that_makes_a_good_method_name(self, name):
        assert re.fullmatch(r"[a-z]+(_[a-z]+){0,3}", name)

    def test_stands_in_one_chapter(self, name):
        assert TOP_TO_BOTTOM.count(name) == 1

    def test_has_an_example_for_whatever_is_sent(self, name):
        _, path, operation = OPERATIONS[name]
        assert example_values(operation).keys() == set(re.findall(r"{(\w+)}", path))
        assert all(example_values(operation).values())
        assert all(value for kind, value in bodies(operation) if kind)
        assert not any(key.startswith("x-") for key in operation)

    def test_has_an_example_for_every_answer(self, name):
        for status, answer in OPERATIONS[name][2]["responses"].items():
            assert answer["description"] not in ("", "Successful Response")
            if status != "204":
                assert all("example" in media for media in answer["content"].values()), status


def test_every_pattern_is_one_in_python_too():
    """Generated Python clients compile them."""
    patterns = set(re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(DOCUMENT)))
    assert len(patterns) > 3
    for pattern in patterns:
        re.compile(json.loads(pattern))


def test_every_tag_has_a_line_in_tags():
    """In `src/routes/__init__.py`; and every line is used."""
    used = {tag for _, _, operation in OPERATIONS.values() for tag in operation["tags"]}
    described = {tag["name"] for tag in TAGS}
    assert used == described, f"TAGS in src/routes/__init__.py: {used ^ described}"
    assert DOCUMENT["tags"] == TAGS
    assert all(tag["description"].endswith(".") for tag in TAGS)


@pytest.mark.parametrize("name", [name for name, found in PERMISSIONS.items() if found])
def test_the_permission_is_the_one_that_is_asked_for(client, good, boris, name):
    """Boris, who holds none, asks for what is not his."""
    request = good(name)
    execute("DELETE FROM role_permissions")
    session_service.forget_everybody()
    refusal = client.request(**request | {"headers": boris.headers})
    assert refusal.status_code == 403
    assert refusal.json()["error"] == f"This needs the permission {PERMISSIONS[name][0]}"


def test_the_limits_are_those_of_the_settings():
    app = FastAPI()
    app.include_router(post_routes.router)
    with settings_with(RATE_LIMIT_POST="7/minute"):
        install_openapi(app, [post_routes.router])
        for operations in app.openapi()["paths"].values():
            for operation in operations.values():
                words = "7 per minute for each member, or each address without a token"
                assert f"**How often:** {words} (`RATE_LIMIT_POST`)." in operation["description"]


class FirstVisit:
    """Somebody who opens the documentation of an empty GopherTalk and works it through, as a
    member, and again as the administrator where a permission is missing."""

    def __init__(self, client, admin, mails):
        self.client, self.admin, self.mails = client, admin, mails
        self.answers = {}

    def authorize(self):
        """Swagger UI's button, with the name and password of the examples."""
        form = bodies(OPERATIONS["get_access_token"][2])[0][1]
        token = self.client.post("/api/login/access-token", data=form).json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def send(self, name, kind, body):
        method, path, operation = OPERATIONS[name]
        values = example_values(operation)
        url = path.format(**values | self.from_earlier_answers(name, values))
        secrets = {"refresh_token", "token"} & (body or {}).keys()
        body = body and body | {key: self.secret(name) for key in secrets}
        content = {"data" if "form" in str(kind) else "json": body}
        headers = self.headers_for(operation, values)
        answer = self.client.request(method, url, headers=headers, **content)
        if answer.status_code == 403 and "needs the permission" in answer.text:
            answer = self.client.request(method, url, headers=self.admin.headers, **content)
        assert answer.is_success, f"{method} {url} {body}: {answer.status_code} {answer.text}"
        self.answers.setdefault(name, []).append(answer)

    def headers_for(self, operation, values):
        if "security" not in operation:
            return {}
        somebody_else = values.get("user_id", 1) not in (1, "gopher_anna")
        return self.admin.headers if somebody_else else self.headers

    def from_earlier_answers(self, name, values):
        """Nobody can guess a UUID: whoever asks for one has seen it in an answer."""
        finders = {
            "order_id": lambda: self.answers["create_order"][0].json()["id"],
            "permission_id": lambda: self.answers["create_permission"][0].json()["id"],
            "role_id": lambda: self.answers["create_role"][name == "delete_role"].json()["id"],
            "session_id": lambda: self.list_sessions()[0]["id"],
        }
        return {each: finders[each]() for each in values.keys() & finders.keys()}

    def list_sessions(self):
        return self.client.get("/api/auth/sessions", headers=self.headers).json()

    def secret(self, name):
        """What a login answered, or what was in a mail."""
        if name == "refresh":
            return self.answers["login"][0].json()["refresh_token"]
        title = {"confirm_email": "Confirm", "reset_password": "Reset"}[name]
        mails = {subject.split()[0]: text for to, subject, text in self.mails() if "anna" in to}
        return mails[title].split("\n\n")[1]


def test_every_example_succeeds_from_top_to_bottom(client, person, mails):
    visit = FirstVisit(client, None, mails)
    for name in TOP_TO_BOTTOM:
        for kind, body in bodies(OPERATIONS[name][2]):
            visit.send(name, kind, body)
        if name == "register":
            visit.admin = person("admin", is_superuser=True)
        if name in ("register", "end_sessions", "end_session"):  # the last two log out
            visit.authorize()
    assert visit.answers.keys() == OPERATIONS.keys()
