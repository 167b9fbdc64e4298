"""The last answer to what no error handler knows.

Starlette's own last answer is plain text and comes from outside of CORS, so that a browser may not
read it.
"""

from asyncio import CancelledError

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dependencies.errors import error_response, unforeseen_response


class UnforeseenErrors:
    """Answers 500 and logs the error once. Stands inside of the CORS middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def send_on(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        except CancelledError:  # the server stops, and has waited for this request long enough
            if answered:
                raise
            await error_response(503, "The server stops, please try again")(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http" or answered:
                raise
            await unforeseen_response(scope, error)(scope, receive, send)
