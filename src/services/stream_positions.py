"""Positions in the stream, as clients know them: the `id` of an event, `Last-Event-ID`.

Three numbers: the transaction, the event within all, and the time at which it was read. Everything
before it was sent, so a client that names it gets what came after.
"""

import re

from repositories.stream_repository import Moment, Position

ID = re.compile(r"(\d{1,20})-(\d{1,19})-(\d{1,11})")
MAX_AGE_SECONDS = 3600


def as_id(position: Position, seconds: int) -> str:
    """`seconds`: by the database's clock, when it was read."""
    return f"{position[0]}-{position[1]}-{seconds}"


def resumed_at(last_id: str, now: Moment) -> Position | None:
    """None when the stream cannot be resumed there: it is no position, an hour old, or not reached
    yet (it comes from another database)."""
    found = ID.fullmatch(last_id)
    if found is None:
        return None
    transaction, event, seconds = map(int, found.groups())
    is_recent = now["seconds"] - MAX_AGE_SECONDS <= seconds <= now["seconds"] + 1
    return (transaction, event) if is_recent and transaction <= now["horizon"] else None
