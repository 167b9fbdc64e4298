"""Proves once a second that this process gets its work done, to those who would restart it.

The proof takes the way of a request: from the event loop to a worker thread and back. The count of
missed beats goes up in a thread of its own, which goes on when the event loop does not.
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
    """Counts until `stop` is set. With `ends_process` a process that is stalled ends: for one of
    several workers, which is replaced. Where its threads stood is then in the log."""
    while not stop.wait(process_state.BEAT_SECONDS):
        if not process_state.start_beat() and ends_process:
            log.critical("this worker has finished nothing for too long, and ends")
            faulthandler.dump_traceback()
            os._exit(1)


def tell_systemd() -> None:
    """That this program is ready and gets its work done, where it is a service of `Type=notify`
    (see sd_notify(3)); elsewhere nothing."""
    if address := get_variable("NOTIFY_SOCKET"):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto(b"READY=1\nWATCHDOG=1", re.sub("^@", "\0", address))
