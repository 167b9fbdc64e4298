"""Two servers behind HAProxy, which sends each request to any of them, with a replica, PgBouncer,
Sentinels and a list of ways to RabbitMQ. Every operation of the API succeeds there; and then one
part after the other is killed.

One server reaches PostgreSQL by PgBouncer, whose address leads to the primary; the other knows both
hosts. What stands for the address that moves, and for nodes of RabbitMQ, are proxies.
"""

import json
import os
import subprocess
import sys
from time import monotonic
from types import SimpleNamespace
from uuid import uuid4

import pika
import pytest
from books import contradictions, unhandled
from cluster import IMMEDIATE
from hosts import haproxy, pgbouncer
from live_server import LiveServer
from load import Load, back_after, tally
from node import Node
from own_redis import OwnRedis, OwnSentinels
from shop import RABBITMQ, eventually
from tcp_proxy import proxy_to

from config.settings import PROJECT_ROOT
from packages.work_queue import Topology

pytestmark = pytest.mark.tools

SLACK = 1.0
ADMIN_PASSWORD = "For-newman-1!"
SECRETS = {"ACCESS_TOKEN_SECRET": "a" * 32, "REFRESH_TOKEN_SECRET": "r" * 32}
# The collection makes accounts as an administrator does.
BY_ADMINISTRATOR = "users without a session, who were made by registering"
DOUBLED = """
    SELECT
        (SELECT count(*) - count(DISTINCT text) FROM posts WHERE text LIKE 'It is %%')
        + (SELECT count(*) - count(DISTINCT order_id) FROM order_events WHERE event = 'new_order')
    AS n
"""


@pytest.fixture
def house(tmp_path, primary, standby):
    """All of it, as attributes by name."""
    master, replica = OwnRedis(tmp_path), OwnRedis(tmp_path)
    name = f"gt-hosts-{uuid4().hex[:8]}"
    with (
        proxy_to("127.0.0.1", primary.main.port) as address,
        pgbouncer(primary, address.port) as pool,
        proxy_to(*RABBITMQ) as rabbit_1,
        proxy_to(*RABBITMQ) as rabbit_2,
        pika.BlockingConnection(pika.ConnectionParameters(*RABBITMQ)) as broker,
    ):
        master.start()
        replica.start("--replicaof", f"127.0.0.1 {master.port}")
        sentinels = OwnSentinels(tmp_path, master.port)
        assert eventually(sentinels.know_all, 60)
        common = {
            **primary.main.settings(),
            **SECRETS,
            "LOGLEVEL": "WARNING",
            "RATE_LIMIT_REGISTER": "off",
            "DB_READ_HOST": f"127.0.0.1:{standby.main.port}",
            "REDIS_SENTINELS": sentinels.addresses,
            "REDIS_SENTINEL_NAME": "talk",
            "RMQ_HOST": "127.0.0.1,127.0.0.1",
            "RMQ_PORT": f"{rabbit_1.port},{rabbit_2.port}",
            "RMQ_PASSWORD": "guest",
            "RMQ_EXCHANGE": name,
            "RMQ_QUEUE": name,
            "RMQ_QUEUE_TYPE": "quorum",
        }
        with_pool = {**common, "DB_PORT": str(pool.port), "DB_POOLER": "pgbouncer"}
        direct = {
            **common,
            "DB_HOST": "127.0.0.1,127.0.0.1",
            "DB_PORT": f"{primary.main.port},{standby.main.port}",
        }

        def one(**more: str) -> LiveServer:
            return LiveServer(tmp_path / "one", **with_pool, **more).wait_until_ready()

        servers = [LiveServer(tmp_path / "two", **direct).wait_until_ready()]
        servers.insert(0, one())
        urls = [server.url.removeprefix("http://") for server in servers]
        front = haproxy(tmp_path, (urls[0], urls[1]), "balance random")
        front.start()
        with (tmp_path / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, str(PROJECT_ROOT / "src" / "worker.py")],
                env={"ENV_FILE": os.devnull, "DATA_DIR": str(tmp_path / "data"), **direct},
                stdout=log,
                stderr=log,
            )
        yield SimpleNamespace(**{k: v for k, v in locals().items() if k not in ("log", "tmp_path")})
        worker.terminate()
        worker.wait(20)
        front.kill()
        for server in servers:
            server.stop()
        sentinels.kill()
        for redis in (master, replica):
            redis.kill()
        topology, channel = Topology(name, name), broker.channel()
        retries = [topology.retry_queue(seconds) for seconds in topology.retry_seconds]
        for queue in (name, topology.dead_letter_queue, *retries):
            channel.queue_delete(queue)
        channel.exchange_delete(name)


def all_operations_succeed(house, folder):
    """Our Postman collection, from top to bottom: each request goes to any server."""
    node = Node(PROJECT_ROOT / "postman")
    house.servers[1].create_superuser(ADMIN_PASSWORD)
    collection = json.loads((node.folder / "gophertalk.postman_collection.json").read_text())
    for chapter in collection["item"]:  # newman would wait for the end of an endless answer
        chapter["item"] = [
            each for each in chapter["item"] if each["request"]["url"]["path"] != ["stream"]
        ]
    (folder / "collection.json").write_text(json.dumps(collection))
    done = node.run(
        *("newman", "run", str(folder / "collection.json"), "--timeout-request", "10000"),
        *("--environment", str(node.folder / "gophertalk.postman_environment.json")),
        *("--env-var", f"api_url=http://127.0.0.1:{house.front.port}/api"),
        *("--env-var", f"admin_password={ADMIN_PASSWORD}"),
    )
    assert done.returncode == 0, done.stdout[-6000:]


def test_one_part_after_the_other_is_killed(house, primary, standby, note, tmp_path):
    all_operations_succeed(house, tmp_path)
    url = f"http://127.0.0.1:{house.front.port}"
    load, rows = Load(url, primary.main, people=6), []

    def event(what, go, come, seconds=3.0):
        """Kills, waits, and brings back; all but what was in flight must go on."""
        began = monotonic()
        go()
        load.go_on(seconds)
        back = come() or monotonic()
        load.go_on(4.0)
        rows.append((what, began, back, monotonic()))

    def server_back():
        house.servers[0] = house.one(PORT=str(house.servers[0].port))

    def promoted():
        back = standby.promote()
        house.address.target = ("127.0.0.1", standby.main.port)
        house.address.cut()
        return back

    with load:
        load.go_on(2.0)
        event("a server killed", lambda: house.servers[0].stop(9), server_back)
        event("Redis's master killed", house.master.kill, lambda: None, 5.0)
        event("a way to RabbitMQ gone", house.rabbit_1.refuse, house.rabbit_1.accept)
        event("the replica killed", lambda: standby.stop(IMMEDIATE), standby.start)
        event("PgBouncer killed", house.pool.kill, house.pool.start)
        assert eventually(lambda: standby.has_all_of(primary))
        primary.set(synchronous_standby_names="*", synchronous_commit="remote_apply")
        load.go_on(1.0)
        event("the primary killed", lambda: primary.stop(IMMEDIATE), promoted, 2.0)

    load.database = standby.main
    load.settle()
    with standby.main.connect() as conn:
        assert eventually(lambda: unhandled(conn) == 0, 60)
    lost, doubled = load.losses(), standby.main.fetch(DOUBLED)[0]["n"]
    answers = load.answers()
    load.close()
    for what, began, back, ended in rows:
        during = [each for each in answers if began < each.ended <= ended]
        # What others see of it begins when it is gone; the primary's when another is promoted.
        first = back_after(during, back if "primary" in what else began)
        worst = max(each.seconds for each in during)
        failed = [each for each in during if not each.good]
        note(f"hosts: {what}", f"{tally(during)}; doubled {doubled}", worst, first, lost)
        assert worst < 2.0 + SLACK, what
        assert first < 2.0 + SLACK, what
        late = [each for each in failed if each.began > back + SLACK]
        assert not late, f"{what}: {tally(late)}"
    assert (lost, doubled) == (0, 0)
    with standby.main.connect() as conn:
        found = contradictions(conn)
    found.pop(BY_ADMINISTRATOR, None)
    assert found == {}
