"""The primary dies, and its standby takes its place: clients wait a moment, and nothing is lost."""

from time import monotonic

import httpx
import pytest
from books import assert_balanced
from cluster import IMMEDIATE
from live_server import NO_LIMITS
from load import back_after, tally
from shop import eventually

SLACK = 1.0
# But for those that were given up, whose commit waits for the standby that it no longer is.
OLD_CONNECTIONS = """
    SELECT count(*) AS n FROM pg_stat_activity
    WHERE application_name = 'gophertalk' AND wait_event IS DISTINCT FROM 'SyncRep'
"""


@pytest.fixture
def server(start_server, primary, standby):
    """It knows both."""
    settings = {
        **primary.main.settings(),
        **NO_LIMITS,
        "DB_HOST": "127.0.0.1,127.0.0.1",
        "DB_PORT": f"{primary.main.port},{standby.main.port}",
    }
    return start_server(**settings).wait_until_ready()


@pytest.mark.parametrize("trouble", ["killed", "hangs"])
def test_the_standby_takes_over(server, primary, standby, new_load, note, trouble):
    assert eventually(lambda: standby.has_all_of(primary))
    primary.set(synchronous_standby_names="*", synchronous_commit="remote_apply")
    with new_load(server, primary.main) as load:
        load.go_on(2.0)
        began = monotonic()
        primary.stop(IMMEDIATE) if trouble == "killed" else primary.freeze()
        load.go_on(2.0)
        back = standby.promote()
        load.go_on(5.0)
    if trouble == "hangs":  # Patroni would end it: none of its connections may be used again
        primary.thaw()
        assert eventually(lambda: primary.main.fetch(OLD_CONNECTIONS) == [{"n": 0}])
    load.database = standby.main
    during = load.answers(since=began)
    worst = max(each.seconds for each in during)
    recovery = back_after(during, back)
    load.settle()
    losses = load.losses()
    note(f"primary {trouble}, standby promoted", tally(during), worst, recovery, losses)

    assert losses == 0
    assert_balanced(standby.main)
    assert {each.status for each in during if not each.good} <= {500, 503}
    assert worst < 2.0 + SLACK
    assert recovery < 2.0 + SLACK


def test_a_server_that_has_become_read_only_is_not_healthy(server, primary):
    def says():
        paths = ("health-check", "ping", "readyz")
        return [httpx.get(f"{server.url}/api/{path}").status_code for path in paths]

    assert says() == [200, 200, 200]
    primary.set(default_transaction_read_only="on")
    assert eventually(lambda: says() == [500, 503, 503])
    primary.set(default_transaction_read_only="off")
    assert eventually(lambda: says() == [200, 200, 200])
