"""Answers from 1 KiB on are compressed for those who ask for that."""

import re

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from dependencies.middleware.request_context import add_header
from utils.entity_tag import COMPRESSED_FROM_BYTES

# The size of a compressed answer tells how much of a secret in it a guess has right (BREACH).
PATHS_WITH_SECRETS = re.compile("/api/(auth|login|app|stream)(/|$)")
ASKED = re.compile(rb"gzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
# Streams of events must not wait. Static files have a strong ETag: it names uncompressed bytes.
NOT_COMPRESSED = ("text/event-stream", "text/css", "text/javascript", "image/png")


class Compression(GZipMiddleware):
    """Starlette's, without its work for those who do not ask, and not for answers with secrets.

    The lowest level: of a page of the feed it leaves a quarter, the highest little less for up to
    four times the work."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            app, COMPRESSED_FROM_BYTES, compresslevel=1, exclude_content_types=NOT_COMPRESSED
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not PATHS_WITH_SECRETS.search(scope["path"]):
            if any(n == b"accept-encoding" and ASKED.search(v) for n, v in scope["headers"]):
                await super().__call__(scope, receive, send)
                return
            add_header(scope, "vary", "Accept-Encoding")
        await self.app(scope, receive, send)
