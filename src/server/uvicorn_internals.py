"""Every name of uvicorn used here that its documentation does not promise.

`test_uvicorn_internals.py` says in words which of them a new version has changed.
"""

from typing import Any

from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.supervisors.multiprocess import Process

__all__ = ["STARTUP_FAILURE", "STATUS_LINE", "HttpConnection", "Process"]


class HttpConnection(HttpToolsProtocol):
    """uvicorn's connection, with words for its states."""

    # Of the newest request: its scope, None before the first one, and its cycle, which is there as
    # soon as its headers are.
    scope: Any
    cycle: Any

    @property
    def is_websocket(self) -> bool:
        """Another protocol has taken the connection over."""
        return self not in self.connections

    @property
    def awaits_headers(self) -> bool:
        """A request has begun, and its headers are not complete."""
        return self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)

    @property
    def awaits_request(self) -> bool:
        """No request has come yet, or the newest one has not arrived in full."""
        awaits_body = self.cycle is not None and self.cycle.more_body
        return self.scope is None or self.awaits_headers or awaits_body

    @property
    def may_answer(self) -> bool:
        """An answer would be taken for that of the newest request; not so in the middle of one, or
        after one that came before the request had been read."""
        if self.cycle is None or not self.cycle.response_started:
            return True
        return self.cycle.response_complete and not self.cycle.more_body
