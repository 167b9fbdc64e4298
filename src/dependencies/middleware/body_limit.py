"""No body larger than 64 KiB, and none that does not arrive.

FastAPI has a limit of its own, but it answers in plain text.
"""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dependencies.errors import error_response
from dependencies.middleware.request_context import CLIENT_LEFT

MAX_BODY_BYTES = 64 * 1024
LENGTH = b"content-length"
TOO_LARGE = f"The body must not be larger than {MAX_BODY_BYTES // 1024} KiB"


class BodyLimit:
    """Refuses by the announced length at once, and else as soon as too much has arrived.

    Also answers what the server could not read: `refusal` in the scope's state has the status and
    the sentence (`server/http_protocol.py`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        if "refusal" in state:
            await error_response(*state["refusal"])(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == LENGTH), b"0")
        if announced.isdigit() and int(announced[:20]) > MAX_BODY_BYTES:
            await error_response(413, TOO_LARGE)(scope, receive, send)
            return
        arrived, is_complete = 0, False

        async def receive_checked() -> Message:
            nonlocal arrived, is_complete
            message = await receive()
            if is_complete:
                return message
            if "refusal" in state:
                raise HTTPException(*state["refusal"])
            if message["type"] == "http.disconnect":
                raise HTTPException(CLIENT_LEFT, "The client left before its request had arrived")
            arrived += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if arrived > MAX_BODY_BYTES:
                raise HTTPException(413, TOO_LARGE)
            return message

        await self.app(scope, receive_checked, send)
