"""uvicorn's HTTP/1.1, with bounds on what a client may send before the app hears of it.

uvicorn reads headers of any size and waits for the rest of a request for ever; bodies are bounded
by the app (`body_limit.py`). What cannot be read is answered by the app, too: it finds status and
sentence in the scope's state, under `refusal`. `client_left` stands there once nobody waits for
the answer any more; `when_client_leaves` is called then, if the app has put a function there.
"""

from asyncio import TimerHandle, Transport
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade

from server.uvicorn_internals import HttpConnection
from utils import process_state

MAX_HEAD_BYTES = 64 * 1024
# A request must have arrived in full after this long, or at the latest after twice as long.
ARRIVAL_SECONDS = 10.0
# The same, once the server has been told to stop.
LAST_ARRIVAL_SECONDS = 1.0
# A client that reads nothing of what is sent to it for so long is cut off.
WRITING_SECONDS = 30.0
# What the app may look at to answer a request that it cannot read, if it is no longer than this.
KEPT_HEADERS = {b"accept", b"origin", b"x-request-id"}
KEPT_BYTES = 1024


class BoundedHttp(HttpConnection):
    """One connection."""

    _timer: TimerHandle
    _writing_timer: TimerHandle | None = None
    # Bytes since the last request was complete.
    _unfinished_bytes = 0
    _is_refused = False
    # The head of a request that offers another protocol, without the offer.
    _plain_head = b""

    def connection_made(self, transport: Transport) -> None:  # pyright: ignore
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        if self._writing_timer:
            self._writing_timer.cancel()
        if self.awaits_headers and not self.awaits_answer and not self._is_refused:
            self._let_app_answer()  # nobody reads it, but the app logs and counts it
            self.scope["state"]["refusal"] = 499, "The client left"
        if self.awaits_answer:
            state = self.cycle.scope["state"]
            state["client_left"] = True
            state.get("when_client_leaves", bool)()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self.stop_idle_timer()
        self._unfinished_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as offer:
            # This parser leaves the body of such a request to the other protocol.
            self.new_parser()
            head, self._plain_head = self._plain_head, b""
            self.data_received(head + data[offer.args[0] :])
        except HttpParserError:
            if not self._refuse_large_head():
                self._refuse(400, "This is no HTTP request")
        else:
            self._refuse_large_head()

    def on_headers_complete(self) -> None:
        # What was read may have the body in it: only then they are counted.
        if self._unfinished_bytes > MAX_HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > MAX_HEAD_BYTES:
                raise ValueError  # httptools makes an error of its own of it
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._plain_head = self._without_offer()
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._unfinished_bytes = 0
        if not self.awaits_headers:  # else it is read again, without its offer
            super().on_message_complete()

    def pause_writing(self) -> None:
        self._writing_timer = self.loop.call_later(WRITING_SECONDS, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._writing_timer:
            self._writing_timer.cancel()
        super().resume_writing()

    def shutdown(self) -> None:
        process_state.begin_stop()
        self._is_refused |= self.awaits_headers  # uvicorn closes the connection of such a request
        super().shutdown()
        self.loop.call_later(LAST_ARRIVAL_SECONDS, self._refuse_if_unfinished)

    def _without_offer(self) -> bytes:
        """`Upgrade: h2c` and the like: a server may ignore it (RFC 9110, section 7.8)."""
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                value = b"close" if b"close" in value.lower() else b"keep-alive"
            if name != b"upgrade":
                lines.append(b"%s: %s" % (name, value))
        return b"\r\n".join([*lines, b"", b""])

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(ARRIVAL_SECONDS, self._on_timer, self.scope)

    def _on_timer(self, scope: Any) -> None:
        """Refuses the request that is on its way if it was so at the last look, too."""
        if self.scope is not scope or not self._refuse_if_unfinished():
            self._start_timer()

    def _refuse_if_unfinished(self) -> bool:
        unfinished = self.awaits_request
        if unfinished:
            self._refuse(408, "The request did not arrive in time")
        return unfinished

    def _refuse_large_head(self) -> bool:
        large = self.awaits_headers and self._unfinished_bytes > MAX_HEAD_BYTES
        if large:
            self._refuse(431, "The headers are too large")
        return large

    def _refuse(self, status: int, sentence: str) -> None:
        """Whatever still comes is not read. The answer is the last one on this connection."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        if self.scope is None or (self.awaits_body and self.cycle.response_started):
            self.transport.close()  # nothing has come, or the app has answered half a request
            return
        if self.awaits_body:
            self.end_after_answer()
        else:
            self._let_app_answer()
        self.scope["state"]["refusal"] = status, sentence

    def _let_app_answer(self) -> None:
        """As if a request had come that can be read. Earlier ones are answered before it."""
        lines = [b"GET / HTTP/1.1", b"connection: close"]
        for name, value in self.headers or ():
            if name in KEPT_HEADERS and len(value) <= KEPT_BYTES:
                lines.append(b"%s: %s" % (name, value))
        self._unfinished_bytes = 0
        self.new_parser()
        self.parser.feed_data(b"\r\n".join([*lines, b"", b""]))
        self.scope["method"] = "UNREADABLE"  # for the log
