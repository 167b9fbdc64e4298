"""Whether this process is stalled, and whether it has been told to stop.

`background/heartbeat.py` and `server/` write it; `/api/livez` and `/api/readyz` read it.
"""

from collections.abc import Callable
from time import monotonic

BEAT_SECONDS = 1.0
# A process that missed more beats should be restarted.
STALLED_BEATS = 30
# A load balancer asks for readiness more often than this.
POLLED_SECONDS = 30.0

stop_has_begun = False
_stoppers: set[Callable[[], None]] = set()
_beats_missed = 0
_readiness_asked_at = float("-inf")


def when_stopping(stop: Callable[[], None]) -> None:
    """`stop` is called as soon as this process is told to stop, in the thread of its event loop."""
    _stoppers.add(stop)


def begin_stop() -> None:
    global stop_has_begun
    stop_has_begun = True
    for stop in _stoppers:
        stop()


def start_beat() -> bool:
    """Counts a beat as missed until `finish_beat` is called; False when too many are missed.

    Beats are counted instead of seconds: a process that was suspended has missed none.
    """
    global _beats_missed
    _beats_missed += 1
    return not is_stalled()


def finish_beat() -> None:
    global _beats_missed
    _beats_missed = 0


def is_stalled() -> bool:
    return _beats_missed > STALLED_BEATS


def note_readiness_asked() -> None:
    global _readiness_asked_at
    _readiness_asked_at = monotonic()


def is_polled() -> bool:
    """Whether a load balancer watches this process."""
    return monotonic() - _readiness_asked_at < POLLED_SECONDS
