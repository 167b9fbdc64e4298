"""compose.yaml and the workflow: valid, complete, and their settings run with servers of this
machine. Docker itself cannot run here; the workflow runs it on the forge."""

import os
import re
import subprocess
import sys

import httpx
import pika
import psycopg
import pytest
import yaml
from cluster import OwnPostgres
from live_server import LiveServer
from own_redis import needs_redis_server
from shop import RABBITMQ, eventually, needs_rabbitmq, unique
from tcp_proxy import free_port
from tools import needed_program

from config.settings import PROJECT_ROOT, Settings
from packages.embedded_postgres.cluster import find_programs
from packages.work_queue import Topology

COMPOSE = PROJECT_ROOT / "compose.yaml"
WORKFLOW = PROJECT_ROOT / ".github/workflows/tests.yml"
SERVICES = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
OURS = {"app", "worker"}
SECRET = re.compile("PASS|SECRET|REDISCLI_AUTH")
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled_in(value, variables):
    """With `${NAME:?}` and `${NAME:-default}` replaced, as compose does; `$$` is a dollar."""

    def replace(found):
        name, kind, default = found.groups()
        return variables[name] if kind == "?" else variables.get(name, default)

    return VARIABLE.sub(replace, str(value)).replace("$$", "$")


@pytest.mark.parametrize("service", sorted(OURS))
def test_what_is_set_is_a_setting(service):
    environment = SERVICES[service]["environment"]
    assert {name.lower() for name in environment} <= Settings.model_fields.keys()


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_watched_and_comes_back(service):
    assert SERVICES[service]["restart"] == "unless-stopped"
    assert "healthcheck" in SERVICES[service] or service == "app", "the image has its own"


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_has_a_default(service):
    environment = SERVICES[service].get("environment", {})
    secrets = {name: value for name, value in environment.items() if SECRET.search(name)}
    secrets.pop("SMTP_PASSWORD", None)  # there may be none
    assert all(re.fullmatch(r"\$\{\w+:\?\}", value) for value in secrets.values())
    assert secrets or service == "caddy"


def test_the_proxy_that_is_trusted_is_caddy():
    address = SERVICES["caddy"]["networks"]["default"]["ipv4_address"]
    assert SERVICES["app"]["environment"]["TRUSTED_PROXIES"] == address


def test_the_workflow_runs_the_command_of_the_readme():
    readme = (PROJECT_ROOT / "README.md").read_text("utf-8")
    [options] = set(re.findall(r"python -m pytest (.*)$", readme.partition("## A tour")[0], re.M))
    steps = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["quick"]["steps"]
    assert steps[-1]["run"] == f"python -m pytest {options}"


@pytest.mark.tools
@pytest.mark.parametrize(
    ("schema", "file"),
    [("vendor.compose-spec", COMPOSE), ("vendor.github-workflows", WORKFLOW)],
    ids=["compose", "workflow"],
)
def test_it_keeps_to_its_schema(schema, file):
    check = [needed_program("check-jsonschema", f"{sys.prefix}/bin/check-jsonschema")]
    done = subprocess.run([*check, "--builtin-schema", schema, file], capture_output=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def variables():
    """What `.env` would have."""
    names = {found[1] for found in VARIABLE.finditer(COMPOSE.read_text()) if found[2] == "?"}
    return {name: f"{name.lower()}-{'x' * 32}" for name in names}


@pytest.fixture
def postgres(tmp_path, variables):
    """A new server after the script that compose gives to its image; gives the port."""
    server = OwnPostgres(tmp_path / "postgres")
    rules = tmp_path / "postgres/pg_hba.conf"
    rules.write_text(f"host all postgres 127.0.0.1/32 trust\n{rules.read_text()}")
    server.start()
    address = {"host": "127.0.0.1", "port": server.main.port, "user": "postgres"}
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE gophertalk")
        connection.execute("DROP ROLE gophertalk")
    psql = find_programs() / "psql"
    subprocess.run(
        ["sh", PROJECT_ROOT / "deploy/create-database.sh"],
        env={
            "PATH": f"{psql.parent}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.main.port),
            "DB_PASSWORD": variables["DB_PASSWORD"],
        },
        check=True,
    )
    yield server.main.port
    server.stop()


@pytest.fixture
def redis(variables):
    """Started by compose's own command; gives the port, and asks as the health check does."""
    port = free_port()
    command = [filled_in(part, variables) for part in SERVICES["redis"]["command"]]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
    [_, test] = SERVICES["redis"]["healthcheck"]["test"]
    test = test.replace("redis-cli", f"redis-cli -p {port}")
    auth = {**os.environ, "REDISCLI_AUTH": variables["REDIS_PASSWORD"]}
    assert eventually(lambda: subprocess.run(["sh", "-c", test], env=auth).returncode == 0)
    yield port
    process.terminate()
    process.wait()


@pytest.mark.slow
@needs_redis_server
@needs_rabbitmq
def test_it_works_as_it_is_set(postgres, redis, variables, tmp_path):
    queue = unique("gt-compose")
    environment = {
        name: filled_in(value, variables) for name, value in SERVICES["app"]["environment"].items()
    }
    here = {"DB_HOST": "127.0.0.1", "DB_PORT": str(postgres), "REDIS_HOST": "127.0.0.1"}
    here |= {"REDIS_PORT": str(redis), "RMQ_HOST": RABBITMQ[0], "RMQ_PORT": str(RABBITMQ[1])}
    # RabbitMQ's image makes the user of compose.yaml; this machine's has the usual guest.
    here |= {"RMQ_USER": "guest", "RMQ_PASSWORD": "guest", "RMQ_EXCHANGE": queue}
    server = LiveServer(tmp_path / "data", **environment | here | {"RMQ_QUEUE": queue})
    worker = None
    try:
        server.wait_until_ready()
        parts = httpx.get(f"{server.url}/api/ping").json()
        assert parts == {"database": "ok", "redis": "ok", "rabbitmq": "ok"}
        manage = [sys.executable, PROJECT_ROOT / "src/manage.py"]
        assert not is_consumed(server.environment)
        worker = subprocess.Popen(
            [*manage, *SERVICES["worker"]["command"]], env=server.environment, cwd=tmp_path
        )
        assert eventually(lambda: is_consumed(server.environment))
        worker.terminate()
        assert worker.wait(30) == 0
        assert eventually(lambda: not is_consumed(server.environment))
    finally:
        if worker:
            worker.kill()
        server.stop()
        delete_queues(queue)


def is_consumed(environment):
    """What the worker's health check says."""
    [_, _, option, code] = SERVICES["worker"]["healthcheck"]["test"]
    code = code.replace("/app/src", str(PROJECT_ROOT / "src"))
    return subprocess.run([sys.executable, option, code], env=environment).returncode == 0


def delete_queues(name):
    topology = Topology(name, name)
    retries = [topology.retry_queue(seconds) for seconds in topology.retry_seconds]
    with pika.BlockingConnection(pika.ConnectionParameters(*RABBITMQ)) as connection:
        for queue in (name, topology.dead_letter_queue, *retries):
            connection.channel().queue_delete(queue)
        connection.channel().exchange_delete(name)
