"""Before a stop: load balancers learn of it while this process still accepts connections."""

import signal
from asyncio import AbstractEventLoop
from threading import current_thread, main_thread
from types import FrameType

from utils import process_state, stop_signals

# Long enough for a load balancer that asks three times a second.
DRAIN_SECONDS = 1.0


def install(loop: AbstractEventLoop) -> None:
    """From now on SIGTERM, and SIGHUP too, makes readyz fail, and reaches uvicorn DRAIN_SECONDS
    later.

    It reaches uvicorn at once when no load balancer asks readyz; Ctrl-C always does.
    """
    stop_serving = signal.getsignal(signal.SIGTERM)
    if current_thread() is not main_thread() or not callable(stop_serving):
        return  # a test client, which gets no signals

    def drain(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(process_state.begin_stop)
        seconds = DRAIN_SECONDS if process_state.is_polled() else 0
        loop.call_soon_threadsafe(loop.call_later, seconds, stop_serving, number, frame)

    signal.signal(signal.SIGTERM, drain)
    stop_signals.hang_up_is_termination()  # in each worker too: a terminal sends it to all
