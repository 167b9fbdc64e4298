"""The errors in /openapi.json: their models, examples and headers."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from dependencies.routing.error_codes import code_of, codes_of
from dependencies.routing.problems import PROBLEM, problem_body
from dto.error_dto import Error, InvalidInput, Problem
from utils.errors import error_body

SCHEMA = "#/components/schemas/{model}"


# Of each status, for /docs and docs/reference.md.
MEANINGS = {
    400: "The request asks for nothing that can be done",
    401: "No valid token, or a wrong name or password",
    403: "Not allowed",
    404: "Not there, or deleted",
    409: "Already there, already done, or not possible in the present state",
    412: "It has changed since `If-Match` was read",
    413: "The body is too large",
    422: "The body, path or query does not validate",
    429: "Too many requests; try again after `Retry-After`",
    500: "An error of the server; its log has the details",
    503: "The database does not answer; try again after `Retry-After`",
}


def header(words: str, example: str) -> dict[str, Any]:
    return {"description": words, "schema": {"type": "string"}, "example": example}


RETRY_AFTER = header("Seconds until the next try", "1")
# Headers of an error, beside those that every answer has.
HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": header("The kind of token to send in `Authorization`", "Bearer")},
    429: {
        "Retry-After": RETRY_AFTER,
        "RateLimit": header("Requests left (r) for so many seconds (t)", '"login";r=0;t=42'),
        "RateLimit-Policy": header(
            "Requests allowed (q) in so many seconds (w)", '"login";q=5;w=60'
        ),
    },
    503: {"Retry-After": RETRY_AFTER},
}


def _json(model: type[Any], **example: Any) -> dict[str, Any]:
    """FastAPI's `model=` would document an error in the media type of the route; it is JSON."""
    schema = {"$ref": SCHEMA.format(model=model.__name__)}
    return {"application/json": {"schema": schema, **example}}


def documented_errors(examples: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: the statuses of errors, each with the sentence of its example.

    A route table names the errors of its services. Those of guards, limits and validation are
    documented by themselves.
    """
    return {
        status: {
            "description": MEANINGS[status],
            "content": _json(Error, example=error_body(sentence)),
            **({"headers": HEADERS[status]} if status in HEADERS else {}),
        }
        for status, sentence in examples.items()
    }


# For `responses=` of the app: what guards, limits, validation and faults answer. `openapi.py`
# takes out what an operation cannot answer, and gives the 403 and the 422 their examples.
GENERAL_ERRORS = {
    **documented_errors(
        {
            401: "Not authenticated",
            403: "Not allowed",
            413: "The body must not be larger than 64 KiB",
            429: "Too many requests, please try again later",
            500: "Internal Server Error",
            503: "The database is not available, please try again shortly",
        }
    ),
    422: {"description": MEANINGS[422], "content": _json(InvalidInput)},
}


def add_refusals(operation: dict[str, Any]) -> None:
    """To every error that is documented: its codes, and what it is as a problem."""
    for status, answer in operation["responses"].items():
        if int(status) < 400:
            continue
        error = answer.get("content", {}).get("application/json", {}).get("example", {})
        sentence, faults = error.get("error", ""), error.get("detail")
        code, codes = code_of(int(status), sentence), codes_of(int(status))
        described = {**header("For programs", code), "schema": {"type": "string", "enum": codes}}
        answer["headers"] = {**answer.get("headers", {}), "X-Error-Code": described}
        if sentence:
            faults = None if faults == sentence else faults
            example = problem_body(int(status), code, sentence, faults, "/requests/4f1c09")
            schema = {"$ref": SCHEMA.format(model="Problem")}
            problem = {PROBLEM: {"schema": schema, "example": example}}
            answer["content"] = {**answer["content"], **problem}


def error_schemas() -> dict[str, Any]:
    """The models above, for the components of the document."""
    models = [TypeAdapter(model) for model in (Error, InvalidInput, Problem)]
    _, found = TypeAdapter.json_schemas(
        [(model, "serialization", model) for model in models], ref_template=SCHEMA
    )
    return found["$defs"]
