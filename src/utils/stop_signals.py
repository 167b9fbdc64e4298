"""Whatever ends a program ends it in order: what it has opened, its PostgreSQL too, is closed."""

import signal
from collections.abc import Callable
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | signal.Handlers
ENDING = ("SIGTERM", "SIGINT", "SIGBREAK")


def interrupt_on_signals() -> None:
    """From now on SIGTERM, SIGHUP and Ctrl-C raise KeyboardInterrupt, so that blocks are left in
    order. For the main thread of a program; a signal that it was started to ignore stays ignored.
    """
    for name in ENDING:
        _replace(name, _interrupt_once)
    hang_up_is_termination()


def hang_up_is_termination() -> None:
    """SIGHUP, which a closed terminal sends, does what SIGTERM does at that time."""
    _replace("SIGHUP", lambda number, frame: signal.raise_signal(signal.SIGTERM))


def _replace(
    name: str, handler: Callable[[int, FrameType | None], object] | signal.Handlers
) -> None:
    number = getattr(signal, name, None)  # each system has its own
    if number and signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` ignores SIGHUP
        signal.signal(number, handler)


def _interrupt_once(number: int, frame: FrameType | None) -> None:
    """A second signal (a terminal sends several) must not interrupt what is closed meanwhile."""
    for name in ENDING:
        _replace(name, signal.SIG_IGN)
    raise KeyboardInterrupt
