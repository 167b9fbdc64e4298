"""No body larger than 64 KiB. FastAPI has a limit of its own, but it answers in plain text."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dependencies.errors import error_response

MAX_BODY_BYTES = 64 * 1024
LENGTH = b"content-length"
TOO_LARGE = f"The body must not be larger than {MAX_BODY_BYTES // 1024} KiB"


class BodyLimit:
    """Refuses by the announced length at once, and else as soon as too much has arrived."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == LENGTH), b"0")
        if announced.isdigit() and int(announced[:20]) > MAX_BODY_BYTES:
            await error_response(413, TOO_LARGE)(scope, receive, send)
            return
        if scope["method"] == "GET":  # nobody here reads the body of one
            await self.app(scope, receive, send)
            return
        arrived = 0

        async def receive_counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > MAX_BODY_BYTES:
                raise HTTPException(413, TOO_LARGE)
            return message

        await self.app(scope, receive_counted, send)
