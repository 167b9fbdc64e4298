"""The body of every refusal, in its two media types."""

from typing import NotRequired

from typing_extensions import TypedDict


class Error(TypedDict):
    """`error` is a sentence for a person; `detail` says the same, in FastAPI's place for it."""

    detail: str
    error: str


class Fault(TypedDict):
    type: str
    loc: list[str | int]
    msg: str


class InvalidInput(TypedDict):
    """`detail` lists every fault, `error` names the first. What was sent is not repeated."""

    detail: list[Fault]
    error: str


ProblemFault = TypedDict("ProblemFault", {"detail": str, "in": str, "pointer": str})


class Problem(TypedDict):
    """RFC 9457. `code` is that of the header `X-Error-Code`, `instance` names the request by its
    id; `errors` stands in a 422, each with a JSON pointer into that part of the request."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: NotRequired[list[ProblemFault]]
