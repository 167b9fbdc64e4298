"""The streams that are open in this process. One thread reads the events for all of them
(`background/stream_reader.py`); between two events a stream holds nothing but a little memory."""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from threading import Event, Lock
from time import monotonic, sleep

from dto.stream_dto import StreamEvent
from repositories import stream_repository
from repositories.stream_repository import Position
from services.stream_feed import Feed, feed_of
from services.stream_positions import as_id
from utils import process_state

# A reader who has so many events waiting is cut off; coming back, it resumes.
MAX_WAITING = 1000
PAGE_EVENTS = 200
# Sessions that are over, and rights that are lost, end a stream.
CHECK_SECONDS = 0.4
# A quiet stream is told how far it is: nothing on the way takes the connection for dead, and its
# client can resume later than an hour after the last event.
MARK_SECONDS = 15.0
# After so many streams the event loop gets a pause, for the requests of others.
BURST = 100
PAUSE_SECONDS = 0.002
# After a full page the streams get time to send it.
FULL_PAGE_SECONDS = 0.02


class Stream:
    """One of them. Its queue belongs to the event loop; `position`, up to which it was given
    everything, first to the stream itself and then to the thread that reads."""

    __slots__ = (
        "_loop",
        "_waiter",
        "_waiting",
        "first_id",
        "is_behind",
        "is_over",
        "is_reset",
        "marked_at",
        "position",
        "session_id",
        "user_id",
    )

    def __init__(self, user_id: int, session_id: str, position: Position) -> None:
        self.user_id, self.session_id, self.position = user_id, session_id, position
        self.is_behind = self.is_reset = self.is_over = False
        self.first_id = ""
        self.marked_at = monotonic()
        self._loop: AbstractEventLoop | None = None
        self._waiter: Future[None] | None = None
        self._waiting: deque[StreamEvent] | None = None

    async def next_events(self) -> deque[StreamEvent]:
        """Waits for them. Empty: the stream is over."""
        if not self._waiting and not self.is_over:
            self._waiter = get_running_loop().create_future()
            await self._waiter
        events, self._waiting = self._waiting, None
        return deque() if events is None or self.is_over else events

    def attach(self) -> None:
        """From now on this event loop reads it."""
        self._loop = get_running_loop()

    def give(self, events: list[StreamEvent]) -> None:
        """From another thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, events)

    def end(self) -> None:
        """From any thread. What waits is not sent any more: the right to see it may be gone."""
        self.is_over = True
        self.give([])

    def _take(self, events: list[StreamEvent]) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.extend(events)
        if len(self._waiting) > MAX_WAITING:
            self.is_over = True
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)


# All that are open; those that are given what happens; and those that want to be.
_open: set[Stream] = set()
_live: set[Stream] = set()
_joining: set[Stream] = set()
_lock = Lock()
_wanted = Event()
# Up to here the live streams were given everything that had happened by then.
_position: Position = (0, 0)
_seconds = 0
_checked_at = 0.0
# Set when the process stops: no stream waits from then on.
is_stopping = False


def add(stream: Stream) -> None:
    """It is open, and ends with its session. To be called on its event loop."""
    process_state.when_stopping(end_all)
    with _lock:
        _open.add(stream)
    if is_stopping:
        stream.end()


def join(stream: Stream) -> None:
    """From its position on it is given what happens."""
    with _lock:
        _joining.add(stream)
    _wanted.set()


def remove(stream: Stream) -> None:
    with _lock:
        for streams in (_open, _live, _joining):
            streams.discard(stream)


def count() -> int:
    return len(_open)


def end_all() -> None:
    """The process stops."""
    global is_stopping
    is_stopping = True
    with _lock:
        streams = list(_open)
    for stream in streams:
        stream.end()


def wait_until_wanted(seconds: float) -> bool:
    """Whether there is a stream; waits for one as long as this."""
    return bool(_open) or _wanted.wait(seconds)


def advance() -> None:
    """Gives the streams what happened since the last call. Raises Unavailable; then the next call
    goes on from the same position."""
    _wanted.clear()
    is_up_to_date = False
    try:
        _end_dead()
        _admit()
        while _live and _read_page():
            sleep(FULL_PAGE_SECONDS)
        is_up_to_date = True
    finally:
        _mark(is_up_to_date)


def _end_dead() -> None:
    global _checked_at
    with _lock:
        streams = list(_open)
    if not streams or monotonic() - _checked_at < CHECK_SECONDS:
        return
    living = stream_repository.get_living_sessions(list({each.session_id for each in streams}))
    _checked_at = monotonic()
    for stream in streams:
        if stream.session_id not in living:
            stream.end()


def _admit() -> None:
    """Those that want to be live get what they have missed since they read themselves."""
    global _position
    with _lock:
        joining = list(_joining)
        is_first = not _live
    if not joining:
        return
    start = min(stream.position for stream in joining)
    if is_first:
        _position = start
    while start < _position:
        page = stream_repository.get_events(start, PAGE_EVENTS)
        rows = [row for row in page["events"] if row["position"] <= _position]
        _hand_out(feed_of(rows, {each.user_id for each in joining}, page["seconds"]), joining)
        start = max(page["end"], (start[0], start[1] + 1))
    with _lock:
        _live.update(_joining.intersection(joining))
        _joining.difference_update(joining)


def _read_page() -> bool:
    """Whether there may be more."""
    global _position, _seconds
    with _lock:
        streams = list(_live)
    page = stream_repository.get_events(_position, PAGE_EVENTS)
    if page["is_rewound"]:  # after a failover or a restore: positions of before mean nothing
        _reset(streams, page["end"], page["seconds"])
    rows, readers = page["events"], {each.user_id for each in streams}
    _hand_out(feed_of(rows, readers, page["seconds"]), streams)
    _position, _seconds = page["end"], page["seconds"]
    return len(rows) == PAGE_EVENTS


def _hand_out(feed: Feed, streams: list[Stream]) -> None:
    given = 0
    for stream in streams:
        events = [
            event for position, event in feed.get(stream.user_id, ()) if position > stream.position
        ]
        if events and not stream.is_over:
            stream.position = feed[stream.user_id][-1][0]
            stream.marked_at = monotonic()
            stream.give(events)
            given += 1
            if given % BURST == 0:
                sleep(PAUSE_SECONDS)


def _reset(streams: list[Stream], position: Position, seconds: int) -> None:
    for stream in streams:
        stream.position = position
        stream.give([StreamEvent(as_id(position, seconds), "reset", "{}")])


def _mark(is_up_to_date: bool) -> None:
    """While the database is away, quiet streams are kept open, and learn no position."""
    now = monotonic()
    with _lock:
        quiet = [each for each in _live if now - each.marked_at > MARK_SECONDS]
    for stream in quiet:
        stream.marked_at = now
        position = as_id(max(stream.position, _position), _seconds) if is_up_to_date else ""
        stream.give([StreamEvent(position)])
