"""A heartbeat, by which systemd, `/api/livez` and the supervisor notice a process that is stalled.

Each second a job goes from the event loop to a worker thread and back, as a request does. Beats
that were missed are counted in another thread, which also runs while the event loop is blocked.
"""

import faulthandler
import logging
import os
import re
import socket
from asyncio import sleep
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Event

from config.settings import get_variable
from utils import process_state

log = logging.getLogger("gophertalk.heartbeat")


async def run_heartbeat(in_worker_thread: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    """Runs on the event loop until it is cancelled."""
    while True:
        await sleep(process_state.BEAT_SECONDS)
        await in_worker_thread(process_state.finish_beat)
        tell_systemd()


def run_watchdog(stop: Event, ends_process: bool) -> None:
    """Counts until `stop` is set. With `ends_process` a stalled process logs the stacks of its
    threads and exits: it is one of several workers, and the supervisor starts another."""
    while not stop.wait(process_state.BEAT_SECONDS):
        if not process_state.start_beat() and ends_process:
            log.critical("this worker has finished no work for too long, and exits")
            faulthandler.dump_traceback()
            os._exit(1)


def tell_systemd() -> None:
    """For a service of `Type=notify`, that it is ready and not stalled (see sd_notify(3)). Does
    nothing where systemd did not start this program."""
    if address := get_variable("NOTIFY_SOCKET"):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto(b"READY=1\nWATCHDOG=1", re.sub("^@", "\0", address))
