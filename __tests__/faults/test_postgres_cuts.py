"""Connections to PostgreSQL are cut at the worst moment: all or nothing, and known to be so."""

from time import monotonic
from uuid import uuid4

import pytest
from books import assert_balanced
from load import Load
from tcp_proxy import Trap, proxy_to

TERMINATE = """
    SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity
    WHERE application_name = 'gophertalk' AND state LIKE %s
"""


def test_backends_are_terminated_in_mid_transaction(server, postgres, new_load, promise):
    ended = 0
    with new_load(server, postgres.main) as load:
        load.go_on(1.0)
        began = monotonic()
        with postgres.main.connect() as conn:
            while ended < 50 and monotonic() < began + 10.0:
                ended += conn.execute(TERMINATE, ("idle in transaction%",)).fetchone()["n"]
        back = monotonic()
        load.go_on(4.0)

    assert ended >= 50
    promise(f"{ended} backends ended in mid-transaction", load, began, back)


def test_all_backends_are_terminated_again_and_again(server, postgres, new_load, promise):
    with new_load(server, postgres.main) as load:
        load.go_on(1.0)
        began = monotonic()
        with postgres.main.connect() as conn:
            for _ in range(20):
                conn.execute(TERMINATE, ("%",))
                load.go_on(0.1)
        back = monotonic()
        load.go_on(4.0)

    promise("all backends ended 20 times in 2 s", load, began, back)


@pytest.fixture
def client(proxied, postgres, new_load):
    client = new_load(proxied, postgres.main, people=1).clients[0]
    client.answers.clear()
    return client


@pytest.mark.parametrize(
    ("arrives", "fault"),
    [(False, "cut before COMMIT arrives"), (True, "cut before COMMIT is confirmed")],
)
def test_a_cut_during_commit_and_the_same_order_again(
    client, proxy, postgres, note, arrives, fault
):
    key = f"cut-{uuid4()}"
    proxy.trap = trap = Trap(mark=key.encode(), at=b"COMMIT", deliver=arrives)
    client.order(key)
    assert trap.sprung.wait(5)
    assert client.statuses() == [503]
    query = "SELECT order_id::text AS id FROM idempotency_keys WHERE key = %s"
    assert len(postgres.main.fetch(query, (key,))) == arrives

    client.order_again()
    client.order(key)
    assert client.statuses() == [503, 201, 201]
    assert postgres.main.fetch(query, (key,)) == [{"id": client.orders[key]}]
    assert_balanced(postgres.main)
    note(fault, "503, then 201 with the same key", max(a.seconds for a in client.answers))


def test_an_answer_cut_in_the_middle_is_read_again(client, proxy, postgres, note):
    client.write()
    text = postgres.main.fetch("SELECT text FROM posts ORDER BY id DESC LIMIT 1")[0][
        "text"
    ].encode()
    proxy.trap = trap = Trap(mark=text, at=text, in_answers=True)
    client.read()
    assert trap.sprung.wait(5)
    assert client.statuses()[-1] == 200
    note("a read cut in mid-answer", "200", client.answers[-1].seconds)


def test_a_write_whose_answer_is_cut_is_not_made_twice(client, proxy, postgres, note):
    text = f"Once, or never: {uuid4()}"
    proxy.trap = trap = Trap(mark=text.encode(), at=text.encode(), in_answers=True)
    client.ask("post", "POST", "/api/posts", json={"text": text})
    assert trap.sprung.wait(5)
    assert client.statuses() == [503]
    assert postgres.main.fetch("SELECT count(*) AS n FROM posts WHERE text = %s", (text,)) == [
        {"n": 1}
    ]
    note("a write cut in mid-answer", "503, made once", client.answers[-1].seconds)


def test_an_order_whose_answer_is_lost_on_the_way(server, postgres, note):
    with proxy_to("127.0.0.1", server.port) as way:
        load = Load(f"http://127.0.0.1:{way.port}", postgres.main, people=1)
        client, key = load.clients[0], f"lost-{uuid4()}"
        way.trap = trap = Trap(mark=b"HTTP/1.1 201", at=b"PENDING", in_answers=True)
        client.order(key)
        assert trap.sprung.wait(5)
        assert client.unanswered == [key]
        client.order_again()
        load.close()
    query = "SELECT order_id::text AS id FROM idempotency_keys WHERE key = %s"
    assert postgres.main.fetch(query, (key,)) == [{"id": client.orders[key]}]
    assert_balanced(postgres.main)
    note("an order's answer lost on its way", "no answer, then 201 with the same key")
