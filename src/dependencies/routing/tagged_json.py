"""Answers that a client may keep, and ask for again at the cost of a header."""

from typing import Any

from pydantic_core import to_json
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from utils.entity_tag import entity_tag, is_known

# For the reader's own cache alone, which asks every time whether its copy is still right.
KEPT = {"cache-control": "private, no-cache", "vary": "Authorization"}


class TaggedJson(JSONResponse):
    """JSON with an `ETag`; 304 and no body for a client that has it already. To be named as the
    `response_class` of a route, whose own work is done for a 304 as well."""

    def render(self, content: Any) -> bytes:
        return to_json(content)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers["etag"] = tag = entity_tag(bytes(self.body))
        if scope["method"] == "GET":
            self.headers.update(KEPT)
            if is_known(tag, ",".join(Headers(scope=scope).getlist("if-none-match"))):
                self.status_code, self.body = 304, b""
                self.headers.add_vary_header("Accept-Encoding")  # as for the copy that was sent
                del self.headers["content-length"], self.headers["content-type"]
        await super().__call__(scope, receive, send)
