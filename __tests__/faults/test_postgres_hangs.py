"""PostgreSQL is there and does not answer, or answers late: nobody waits for it for long."""

from time import monotonic

import pytest
from live_server import NO_LIMITS
from shop import eventually


def test_a_network_that_swallows_everything(proxied, proxy, postgres, new_load, promise):
    with new_load(proxied, postgres.main) as load:
        load.go_on(1.0)
        began = monotonic()
        proxy.hang()
        load.go_on(4.0)
        proxy.flow()
        back = monotonic()
        load.go_on(4.0)

    promise("PostgreSQL reached, no answer for 4 s", load, began, back)


def test_a_server_that_is_frozen(server, postgres, new_load, promise, scrapes):
    seen = scrapes(server)
    with new_load(server, postgres.main) as load:
        load.go_on(1.0)
        began = monotonic()
        postgres.freeze()
        load.go_on(4.0)
        seen.scrape()
        back = postgres.thaw()
        load.go_on(4.0)

    promise("all of PostgreSQL's processes stopped, 4 s", load, began, back)
    assert seen.raises("GopherTalkDatabaseDown")


def test_connections_that_a_router_has_forgotten(start_server, postgres, proxy, new_load, promise):
    """Also those of the relay, which is alone on this database."""
    database = postgres.new_database()
    server = start_server(**database.settings(proxy.port), **NO_LIMITS).wait_until_ready()
    with new_load(server, database) as load:
        load.go_on(1.0)
        began = monotonic()
        with database.locked("order_events") as waiting:
            assert eventually(lambda: waiting() == 1), "the relay is at work"
            proxy.lose()
        load.go_on(6.0)

    promise("live connections dead without a word", load, began, began)


def test_a_network_that_is_slow(proxied, proxy, postgres, new_load, promise):
    with new_load(proxied, postgres.main) as load:
        load.go_on(1.0)
        began = monotonic()
        proxy.delay = 0.2
        load.go_on(3.0)
        proxy.delay = 0.0
        back = monotonic()
        load.go_on(4.0)

    promise("each packet 0.2 s late, 3 s", load, began, back)


@pytest.mark.parametrize("table", ["posts", "users"])
def test_all_connections_wait_for_a_lock(server, postgres, new_load, promise, scrapes, table):
    seen = scrapes(server)
    with new_load(server, postgres.main, people=40) as load:
        load.go_on(1.0)
        began = monotonic()
        with postgres.main.locked(table) as waiting:
            load.go_on(1.0)
            assert waiting() == 8, "all connections but those that are spared for logins"
            load.go_on(1.0)
            seen.scrape()
            load.go_on(2.0)
            seen.scrape()
        back = monotonic()
        load.go_on(4.0)

    promise(f"pool used up by a lock on {table}, 4 s", load, began, back)
    assert seen.raises("GopherTalkErrors")
