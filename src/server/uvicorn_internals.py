"""Every name of uvicorn used here that its documentation does not promise.

`test_uvicorn_internals.py` says in words which of them a new version has changed.
"""

from typing import Any

from httptools import HttpRequestParser
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors.multiprocess import Process

__all__ = ["STARTUP_FAILURE", "HttpConnection", "Process"]


class HttpConnection(HttpToolsProtocol):
    """uvicorn's connection, with words for its states."""

    # Of the newest request: its scope, None before the first one, and its cycle, which is there as
    # soon as its headers are.
    scope: Any
    cycle: Any

    @property
    def awaits_headers(self) -> bool:
        """A request has begun, and its headers are not complete."""
        return self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)

    @property
    def awaits_body(self) -> bool:
        """The headers of the newest request are complete, and its body is not."""
        return self.cycle is not None and self.cycle.more_body

    @property
    def awaits_request(self) -> bool:
        """No request has come yet, or the newest one has not arrived in full."""
        return self.scope is None or self.awaits_headers or self.awaits_body

    @property
    def awaits_answer(self) -> bool:
        """The headers of the newest request are complete, and its answer is not."""
        return self.cycle is not None and not self.cycle.response_complete

    def stop_idle_timer(self) -> None:
        """Something has come on a connection that was kept open."""
        self._unset_keepalive_if_required()

    def end_after_answer(self) -> None:
        """Lets the app, which waits for the body, go on without it."""
        self.cycle.keep_alive = False
        self.cycle.message_event.set()

    def new_parser(self) -> None:
        """What was read before is forgotten."""
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
