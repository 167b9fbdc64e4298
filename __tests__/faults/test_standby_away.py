"""A primary that waits for a synchronous standby, and the standby goes away."""

from threading import Event, Thread
from time import monotonic

from live_server import NO_LIMITS
from load import Client, tally
from shop import eventually

SLACK = 1.0
WRITERS = 4
BACKENDS = """
    SELECT count(*) AS n, count(*) FILTER (WHERE wait_event = 'SyncRep') AS waiting
    FROM pg_stat_activity WHERE usename = current_user AND application_name = 'gophertalk'
"""
STREAMS = "SELECT count(*) AS n FROM pg_stat_replication"


def test_nothing_is_left_waiting_in_postgresql(primary, standby, start_server, note):
    server = start_server(**primary.main.settings(), **NO_LIMITS).wait_until_ready()
    primary.set(synchronous_standby_names="*")
    assert eventually(lambda: primary.main.fetch(STREAMS)[0]["n"] == 1)
    writers, readers = ([Client(server.url) for _ in range(n)] for n in (WRITERS, 2))
    assert all(client.register() for client in (*writers, *readers))
    stop = Event()

    def repeat(client, act):
        while not stop.wait(0.05):
            act(client)

    threads = [Thread(target=repeat, args=(each, Client.write)) for each in writers]
    threads += [Thread(target=repeat, args=(each, Client.read)) for each in readers]
    for thread in threads:
        thread.start()
    stop.wait(1.0)

    standby.stop()
    began, most = monotonic(), {"n": 0, "waiting": 0}
    while monotonic() < began + 10.0:
        [now] = primary.main.fetch(BACKENDS)
        most = {name: max(most[name], now[name]) for name in most}
        stop.wait(0.05)
    gone = standby.start()
    assert eventually(lambda: primary.main.fetch(STREAMS)[0]["n"] == 1)
    back = monotonic()
    stop.wait(3.0)
    stop.set()
    for thread in threads:
        thread.join()

    writes = [each for client in writers for each in client.answers if each.began > began]
    reads = [each for client in readers for each in client.answers if each.began > began]
    refused = [each for each in writes if each.began < gone - 2.0]
    recovery = min(each.ended for each in writes if each.good and each.ended > back) - back
    worst = max(each.seconds for each in (*writes, *reads))
    posts = [id for client in writers for id in client.posts]
    found = primary.main.fetch("SELECT count(*) AS n FROM posts WHERE id = ANY(%s)", (posts,))
    lost = len(posts) - found[0]["n"]
    seen = f"writes {tally(writes)}; reads {tally(reads)}; {most['n']} connections"
    note("synchronous standby gone for 10 s", seen, worst, recovery, lost)

    assert {each.status for each in refused} == {503}
    assert all(each.good for each in reads), tally(reads)
    assert most["n"] <= 10 + WRITERS, "the pool, and those whose cancellation is on its way"
    assert most["waiting"] <= 2 * WRITERS
    assert worst < 2.0 + SLACK
    assert recovery < 2.0 + SLACK
    assert lost == 0
    assert eventually(lambda: primary.main.fetch(BACKENDS)[0]["waiting"] == 0)
