"""A thread that works beside the program for as long as a block lasts."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event, Thread

STOP_SECONDS = 5.0


@contextmanager
def in_background(work: Callable[[Event], object]) -> Generator[None]:
    """Run `work` in a thread of its own; it ends soon after its event is set.

    What hangs longer, on a server that does not answer, ends with the process.
    """
    stop = Event()
    thread = Thread(target=work, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)  # a daemon: what hangs does not hold up the end
