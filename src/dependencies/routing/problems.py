"""Errors as RFC 9457 has them, for clients that ask with `Accept: application/problem+json`."""

from collections.abc import Mapping, Sequence
from http.client import responses
from typing import Any
from urllib.parse import quote

from pydantic_core import to_json
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from utils import context, errors

PROBLEM = "application/problem+json"
JSON_RANGES = ("application/json", "application/*", "*/*")


class ErrorResponse(Response):
    """A refusal, written when it is known what the client accepts."""

    def __init__(
        self, status: int, code: str, sentence: str, faults: Any, headers: Mapping[str, str]
    ) -> None:
        self.code, self.sentence, self.faults = code, sentence, faults
        body = to_json(errors.error_body(sentence, faults))
        own = {"X-Error-Code": code, "Vary": "Accept"}
        super().__init__(body, status, {**headers, **own}, "application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if prefers_problem(",".join(Headers(scope=scope).getlist("accept"))):
            about = f"/requests/{context.request_id.get()}"
            problem = problem_body(self.status_code, self.code, self.sentence, self.faults, about)
            self.body = to_json(problem)
            self.headers["content-type"] = PROBLEM
            self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def problem_body(
    status: int, code: str, sentence: str, faults: Sequence[Mapping[str, Any]] | None, about: str
) -> dict[str, Any]:
    """`about` names the request, by its id: what was sent is not repeated."""
    problem = {
        "type": "about:blank",  # nothing beyond the status: the code says more
        "title": responses.get(status, "Client Closed Request"),
        "status": status,
        "detail": sentence,
        "instance": about,
        "code": code,
    }
    return {**problem, "errors": list(map(_fault, faults))} if faults else problem


def prefers_problem(accept: str) -> bool:
    """Whether it names the media type of problems, and wants nothing else of ours more."""
    quality = dict(map(_range, accept.lower().split(",")))
    wanted = quality.get(PROBLEM, 0.0)
    json = next((quality[each] for each in JSON_RANGES if each in quality), 0.0)
    return wanted > 0 and wanted >= json


def _range(text: str) -> tuple[str, float]:
    """A media range with its quality, 0 when that cannot be read."""
    media_type, *parameters = (part.strip() for part in text.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return media_type, float(quality)
    except ValueError:
        return media_type, 0.0


def _fault(fault: Mapping[str, Any]) -> dict[str, str]:
    """`in` is a part of the request as OpenAPI calls it; the pointer (RFC 6901) starts there."""
    where, *path = fault["loc"]
    if fault["type"] == "json_invalid":  # it has a position where others have a field
        path = []
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    pointer = "#" + "".join(f"/{quote(step, safe='~', errors='replace')}" for step in steps)
    return {"detail": fault["msg"], "in": where, "pointer": pointer}
