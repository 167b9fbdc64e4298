"""Reads what happened, for all streams that are open in this process."""

import logging
from threading import Event

from services import open_streams, stream_limit
from utils.errors import Unavailable
from utils.request_budget import limit_database_seconds

POLL_SECONDS = 0.25
# For one statement; meanwhile this process must be able to say that it lives.
MAX_DATABASE_SECONDS = 2.0
BEAT_ROUNDS = 4

log = logging.getLogger("gophertalk.stream")


def run_stream_reader(stop: Event) -> None:
    """Works until `stop` is set. Asks nothing while no stream is open."""
    limit_database_seconds(MAX_DATABASE_SECONDS)
    rounds, is_away = 0, False
    while not stop.wait(POLL_SECONDS):
        if not open_streams.wait_until_wanted(POLL_SECONDS):
            continue
        rounds += 1
        if rounds % BEAT_ROUNDS == 0:
            stream_limit.say_alive()
        try:
            open_streams.advance()
        except Unavailable as error:
            if not is_away:
                log.warning("the streams wait for PostgreSQL: %s", error.__cause__)
            is_away = True
        except Exception:
            log.exception("the streams were told nothing, and will be")
        else:
            if is_away:
                log.warning("the streams go on")
            is_away = False
