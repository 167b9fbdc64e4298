"""PostgreSQL is restarted, crashes, stays away: 503 in time, and back with it."""

from time import monotonic

import httpx
import pytest
from cluster import FAST, IMMEDIATE

END_THE_APPS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gophertalk'
"""


@pytest.mark.parametrize(
    ("how", "fault"), [(FAST, "PostgreSQL restarted"), (IMMEDIATE, "PostgreSQL crashed, restarted")]
)
def test_a_restart_under_load(server, postgres, new_load, promise, how, fault):
    with new_load(server, postgres.main) as load:
        load.go_on(1.0)
        began = monotonic()
        postgres.stop(how)
        back = postgres.start()
        load.go_on(4.0)

    promise(fault, load, began, back)


def test_an_absence_of_twenty_seconds(server, postgres, new_load, promise):
    with new_load(server, postgres.main) as load:
        load.go_on(1.0)
        began = monotonic()
        postgres.stop()
        load.go_on(20.0)
        back = postgres.start()
        load.go_on(4.0)

    promise("PostgreSQL away for 20 s", load, began, back)


def test_no_connection_is_free(server, postgres, new_load, promise):
    """As when others hold them all: PostgreSQL refuses each new one with a FATAL error."""
    with new_load(server, postgres.main) as load, postgres.main.connect() as conn:
        load.go_on(1.0)
        began = monotonic()
        conn.execute("ALTER DATABASE gophertalk CONNECTION LIMIT 0")
        conn.execute(END_THE_APPS)
        load.go_on(4.0)
        conn.execute("ALTER DATABASE gophertalk CONNECTION LIMIT -1")
        back = monotonic()
        load.go_on(4.0)

    promise("PostgreSQL has no connection free, 4 s", load, began, back)


def test_while_it_is_away_the_operator_is_told_at_once(server, postgres):
    postgres.stop()
    for _ in range(3):
        health = httpx.get(f"{server.url}/api/health-check")
        assert (health.status_code, health.text) == (500, "DB connection failed")
        ping = httpx.get(f"{server.url}/api/ping")
        assert (ping.status_code, ping.json()["database"]) == (503, "down")
        assert max(health.elapsed, ping.elapsed).total_seconds() < 2.0


def test_a_refusal_says_when_to_come_again(server, postgres, new_load):
    load = new_load(server, postgres.main, people=1)
    postgres.stop()
    answer = load.clients[0].get("/api/posts")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json().keys() == {"detail", "error"}
