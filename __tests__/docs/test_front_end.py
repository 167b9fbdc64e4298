"""Every request of docs/front-end.md is sent, and has the answer that the page shows."""

import json
import re

import pytest
from fastapi.testclient import TestClient
from pages import FRONT_END, Page

from app import app
from dto.error_codes import CODE_OF_STATUS, SPECIAL_CODES
from repositories import product_repository

BLOCK = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REQUEST = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (\S+)")
ADDRESS = "198.19.0.1"  # limits count by addresses, and by no other name of a client


class Message:
    """A block of the page: its first line, its headers, and the JSON of its body."""

    def __init__(self, text):
        head, _, body = text.partition("\n\n")
        self.start, *lines = head.strip().splitlines()
        self.headers = dict(line.split(": ", 1) for line in lines)
        self.body = json.loads(body) if body.strip() else None


def exchanges(page: Page):
    """Each request with the answers under it."""
    found = []
    for text in BLOCK.findall(page.text):
        message = Message(text)
        if REQUEST.fullmatch(message.start):
            found.append((message, []))
        else:
            found[-1][1].append(message)
    return found


def fits(shown, real):
    """`…` in a text stands for any other; as a field, for all that are not shown."""
    if isinstance(shown, dict) and isinstance(real, dict):
        names = shown.keys() - {"…"}
        complete = names <= real.keys() if "…" in shown else names == real.keys()
        return complete and all(fits(shown[name], real[name]) for name in names)
    if isinstance(shown, list) and isinstance(real, list):
        return len(shown) == len(real) and all(map(fits, shown, real))
    if isinstance(shown, str) and isinstance(real, str):
        pattern = ".+".join(map(re.escape, shown.split("…")))
        return re.fullmatch(pattern, real, re.DOTALL) is not None
    return type(shown) is type(real) and shown == real


class Reader:
    """Does what the page says, and remembers the values of the answers."""

    def __init__(self, client, **values):
        self.client = client
        self.values = values

    def send(self, request):
        method, path = REQUEST.fullmatch(request.start).groups()
        body = json.dumps(request.body) if request.body is not None else None
        headers = {"Content-Type": "application/json", **request.headers}
        self.client.cookies.clear()  # the page says itself what the browser sends
        answer = self.client.request(
            method,
            self.filled_in(path),
            content=body and self.filled_in(body),
            headers={name: self.filled_in(value) for name, value in headers.items()},
        )
        self.remember(answer)
        return answer

    def filled_in(self, text):
        return re.sub(r"<(\w+)>", lambda found: self.values[found[1]], text)

    def remember(self, answer):
        if answer.headers.get("Content-Type") == "application/json" and answer.is_success:
            body = answer.json()
            self.values |= body if isinstance(body, dict) else {}
        self.values |= dict(answer.cookies)
        if "ETag" in answer.headers:
            self.values["ETag"] = answer.headers["ETag"]
        if "next" in answer.links:
            self.values["next"] = answer.links["next"]["url"]


def difference(shown, answer):
    """None if the answer is the one that the page shows."""
    body = answer.json() if answer.content else None
    status = int(shown.start.partition(" ")[0])  # libraries call 422 by its old or its new name
    if answer.status_code != status or not fits(shown.body, body):
        return f"{answer.status_code}\n{json.dumps(body, ensure_ascii=False, indent=2)}"
    for name, value in shown.headers.items():
        if not fits(value, answer.headers.get(name, "")):
            return f"{name}: {answer.headers.get(name)}"
    return None


@pytest.fixture
def reader(db, register, person):
    """On a new server with two more people and a product."""
    register("gopher_boris", first_name="Boris", last_name="Ivanov")
    admin = person("gopher_root", ["admin"])
    product_repository.create_product({"name": "Gopher mug", "price": 1000, "in_stock": True})
    client = TestClient(app, "http://localhost:3000", client=(ADDRESS, 50000))
    return Reader(client, admin_token=admin.access_token)


def test_every_request_has_the_answers_that_the_page_shows(reader):
    for request, answers in exchanges(FRONT_END):
        assert answers, request.start
        for number, shown in enumerate(answers):
            # Again until it is answered as shown: five tries are in one minute, or in two.
            for _ in range(12 if number else 1):
                other = difference(shown, reader.send(request))
                if not other:
                    break
            assert not other, f"{request.start}: not {shown.start}, but {other}"


def test_the_page_has_the_calls_of_a_first_client():
    sent = [request.start for request, _ in exchanges(FRONT_END)]
    assert len(sent) >= 20
    assert len(set(sent)) >= 15


def test_every_code_of_its_table_is_one():
    known = {
        *CODE_OF_STATUS.values(),
        *(code for codes in SPECIAL_CODES.values() for code in codes),
    }
    named = {
        code
        for row in FRONT_END.table("Refusals, by code")
        for code in re.findall(r"`([a-z_]+)`", row[0])
    }
    assert len(named) > 10
    assert named <= known


def test_what_differs_is_seen():
    """The comparison itself."""
    assert fits({"a": ["x…", 1]}, {"a": ["xyz", 1]})
    assert fits({"a": 1, "…": "…"}, {"a": 1, "b": 2})
    assert not fits({"a": 1, "…": "…"}, {"b": 2})
    for other in ({"a": ["xyz"]}, {"a": ["xyz", 1.0]}, {"a": ["yz", 1]}, {"b": ["xyz", 1]}):
        assert not fits({"a": ["x…", 1]}, other)
    assert not fits(1, True)
    assert not fits("…", "")
