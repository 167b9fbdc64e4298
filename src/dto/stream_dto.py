"""The live stream: its ticket, and the events in it."""

from typing import NamedTuple

from typing_extensions import TypedDict

from dto.fields import documented


@documented({"ticket": "754321:xyz9AbC2DeF3GhI4JkL0", "expires_in": 60})
class Ticket(TypedDict):
    """`expires_in`: seconds."""

    ticket: str
    expires_in: int


@documented({"id": 2})
class DeletedPost(TypedDict):
    id: int


class StreamEvent(NamedTuple):
    """What one reader is sent. Without a name it only keeps the connection open, and moves the
    position from which the reader would resume. `retry`: after how many milliseconds."""

    id: str = ""
    name: str | None = None
    data: str | None = None
    retry: int | None = None
