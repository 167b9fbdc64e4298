"""How a controller's result becomes bytes, in a tiny app."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from pydantic import BaseModel
from typing_extensions import TypedDict

from dependencies.json_route import JsonRoute

ROW = {
    "id": 2**53 - 1,
    "text": 'Привет, "gophers" 🐹',
    "created_at": datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC),
    "price": Decimal("1000.00"),
    "uuid": UUID("0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b"),
    "reply_to_id": None,
    "user_liked": True,
    "user": {"id": 1},
}
ROW_AS_JSON = {
    **ROW,
    "created_at": "2026-11-21T12:30:15.123456Z",
    "price": "1000.00",
    "uuid": "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b",
}


class Answer(TypedDict):
    id: int


class Body(BaseModel):
    text: str


async def caller():
    return "anna"


def give_row():
    """What the documentation says."""
    return dict(ROW)


def give_rows():
    return [dict(ROW), dict(ROW)]


def give_nothing():
    return None


def give_response():
    return PlainTextResponse("as it is", 418)


def take(number: int, body: Body, name: Annotated[str, Depends(caller)], limit: int = 10):
    return {"number": number, "text": body.text, "name": name, "limit": limit}


router = APIRouter(route_class=JsonRoute)
router.get("/row", response_model=Answer)(give_row)
router.get("/rows")(give_rows)
router.post("/created", status_code=201)(give_nothing)
router.delete("/gone", status_code=204)(give_nothing)
router.get("/response")(give_response)
router.post("/take/{number}", status_code=201)(take)
app = FastAPI()
app.include_router(router)
client = TestClient(app)


def test_a_row_is_written_as_json():
    response = client.get("/row")

    assert (response.status_code, response.json()) == (200, ROW_AS_JSON)
    assert response.headers["Content-Type"] == "application/json"
    assert int(response.headers["Content-Length"]) == len(response.content)


def test_alphabets_are_written_in_utf_8():
    assert "Привет".encode() in client.get("/row").content


def test_a_list_of_rows():
    assert client.get("/rows").json() == [ROW_AS_JSON, ROW_AS_JSON]


@pytest.mark.parametrize(
    ("method", "path", "status", "content"),
    [("POST", "/created", 201, b"null"), ("DELETE", "/gone", 204, b"")],
)
def test_nothing_has_the_status_of_its_route(method, path, status, content):
    response = client.request(method, path)

    assert (response.status_code, response.content) == (status, content)


def test_no_content_announces_none():
    assert "Content-Type" not in client.delete("/gone").headers


def test_a_response_goes_out_as_it_is():
    response = client.get("/response")

    assert (response.status_code, response.text) == (418, "as it is")


def test_path_query_body_and_dependencies_reach_the_controller():
    response = client.post("/take/7?limit=3", json={"text": "Hi"})

    assert (response.status_code, response.json()) == (
        201,
        {"number": 7, "text": "Hi", "name": "anna", "limit": 3},
    )


def test_they_are_validated_first():
    assert client.post("/take/x", json={}).status_code == 422


def test_the_documentation_is_the_controllers_own():
    operation = app.openapi()["paths"]["/row"]["get"]

    assert operation["summary"] == "Give Row"
    assert operation["description"] == "What the documentation says."
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Answer"}


def test_the_endpoint_keeps_its_name_which_the_error_table_reads():
    assert [route.endpoint.__name__ for route in router.routes][:2] == ["give_row", "give_rows"]
