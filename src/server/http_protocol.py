"""uvicorn's HTTP/1.1, with bounds on what a client may send before the app hears of it.

uvicorn reads headers of any size and waits for the rest of a request for ever; bodies are bounded
by the app (`body_limit.py`). What cannot be read is refused here in the app's words.
"""

import json
from asyncio import TimerHandle, Transport
from typing import Any, cast

from server.joined_writes import JoinedWrites
from server.uvicorn_internals import STATUS_LINE, HttpConnection
from utils.errors import error_body

MAX_HEAD_BYTES = 64 * 1024
TOO_LARGE = "The headers are too large"
# A request must have arrived in full after this long, or at the latest after twice as long.
ARRIVAL_SECONDS = 10.0


class BoundedHttp(HttpConnection):
    """One connection."""

    _watch: TimerHandle
    # Bytes since the last request was complete.
    _read = 0

    def connection_made(self, transport: Transport) -> None:  # pyright: ignore
        super().connection_made(cast(Transport, JoinedWrites(transport, self.loop)))
        self._watch_again()

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._read += len(data)
        super().data_received(data)
        large = self._read > MAX_HEAD_BYTES and self.awaits_headers
        if large and not self.transport.is_closing():
            self._refuse(431, TOO_LARGE)

    def on_headers_complete(self) -> None:
        # What was read may have the body in it: only then they are counted.
        if self._read > MAX_HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > MAX_HEAD_BYTES:
                raise ValueError(TOO_LARGE)  # httptools makes an error of its own of it
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._read = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        large = self.awaits_headers and self._read > MAX_HEAD_BYTES
        self._refuse(431, TOO_LARGE) if large else self._refuse(400, msg)

    def _watch_again(self) -> None:
        self._watch = self.loop.call_later(ARRIVAL_SECONDS, self._check, self.scope)

    def _check(self, before: Any) -> None:
        """Ends the connection if the request that is on its way was so at the last look, too."""
        if self.is_websocket:
            return
        if self.awaits_request and self.scope is before:
            self._refuse(408, "The request did not arrive in time")
        else:
            self._watch_again()

    def _refuse(self, status: int, sentence: str) -> None:
        body = json.dumps(error_body(sentence)).encode()
        head = (
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        if self.may_answer:
            self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()
