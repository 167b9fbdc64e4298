"""Whether this process gets its work done, and whether it has been told to stop.

`background/heartbeat.py` and `server/drain.py` keep it up to date; the probes report it.
"""

from time import monotonic

BEAT_SECONDS = 1.0
# After so many beats without one that was finished, whoever restarts processes should do so.
STALLED_BEATS = 30
# A load balancer asks for readiness more often than this.
POLLED_SECONDS = 30.0

stop_has_begun = False
_beats_missed = 0
_readiness_asked_at = float("-inf")


def start_beat() -> bool:
    """Counts a beat as missed until `finish_beat` is called; False when too many are missed.

    Beats are counted, and not seconds: a process that was paused has missed none.
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
