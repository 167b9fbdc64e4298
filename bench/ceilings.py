"""The limits of an endpoint: its SQL alone, an application that does nothing at all, and one that
sends the SQL and does nothing else."""

import json
import os
import pickle
import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from endpoints import ORDER, POST, WRITER
from house import WORKERS, free_port, served
from wrk import Request

CLIENTS = 8
JOBS = 2


class Captured(Exception):
    """Carries a statement that was about to be sent."""


def statement_of(call: Callable[[], object]) -> tuple[str, tuple[object, ...]]:
    """What a repository function sends, without sending it."""
    from repositories import sql

    def catch(conn: object, query: str, params: tuple[object, ...], *_: object) -> None:
        raise Captured(query, params)

    send, sql._on = sql._on, catch
    try:
        call()
    except Captured as captured:
        return captured.args
    finally:
        sql._on = send
    raise AssertionError("the function sent nothing")


def pgbench_script(
    calls: Iterable[Callable[[], object]], writers_from: int
) -> tuple[str, list[str]]:
    """The statements for `pgbench -M prepared`, and its -D options with their parameters.

    Each client is one writer and goes from post to post, so that nobody likes a post twice.
    """
    moving = {WRITER: ":writer", POST: ":post", ORDER: "gen_random_uuid()"}
    lines = ["\\set post :post + 1", f"\\set writer {writers_from} + :client_id"]
    values: dict[str, str] = {"post": "0"}
    for call in calls:
        query, params = statement_of(call)
        names: list[str] = []
        for value in params:
            if not isinstance(value, list) and value in moving:
                names.append(moving[value])
                continue
            name = f"p{len(values)}"
            values[name] = _as_text(value)
            names.append("NULL" if value is None else f":{name}")
        query = query.replace("%s", "\0").replace("%%", "%")
        for name in names:
            query = query.replace("\0", name, 1)
        lines.append(" ".join(query.split()) + ";")
    return "\n".join(lines), [part for name in values for part in ("-D", f"{name}={values[name]}")]


def _as_text(value: object) -> str:
    """As PostgreSQL reads it."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, list):
        return f"{{{','.join(map(str, value))}}}"
    return str(value)


def pgbench(calls: list[Callable[[], object]], writers_from: int, seconds: int) -> float:
    """Statements per second. The database has the machine to itself."""
    from psycopg.conninfo import conninfo_to_dict

    from config import db
    from packages.embedded_postgres import cluster as embedded_postgres_cluster

    script, options = pgbench_script(calls, writers_from)
    conninfo = conninfo_to_dict(db.pool.conninfo())
    program = embedded_postgres_cluster.find_programs() / "pgbench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [str(program), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", str(JOBS)]
        command += ["-T", str(seconds), "-f", file.name, *options]
        environment = {
            **os.environ,
            "PGHOST": str(conninfo["host"]),
            "PGPORT": str(conninfo["port"]),
            "PGUSER": str(conninfo["user"]),
            "PGPASSWORD": str(conninfo.get("password") or ""),
            "PGDATABASE": str(conninfo["dbname"]),
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or not found:
        raise SystemExit(f"pgbench failed:\n{script}\n{done.stdout}{done.stderr}")
    return float(found[1]) * len(calls)


class Bare:
    """ASGI applications under uvicorn, like the server, that repeat recorded answers; `process` is
    their id."""

    def __init__(self, folder: Path, port: int, process: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = process
        self._folder = folder

    def learn(self, url: str, request: Request, name: str) -> None:
        """Record what the server answers to this request."""
        headers = {"Authorization": f"Bearer {request.token}"} if request.token else {}
        if request.body:
            headers["Content-Type"] = "application/json"
        asked = urllib.request.Request(
            url + request.path, request.body.encode() or None, headers, method=request.method
        )
        try:
            answer = urllib.request.urlopen(asked)
        except urllib.error.HTTPError as error:
            raise SystemExit(
                f"{request.method} {request.path}: {error.code} {error.read()}"
            ) from error
        kept = [
            (k, v) for k, v in answer.headers.items() if k.lower() not in {"date", "connection"}
        ]
        (self._folder / f"{name}.body").write_bytes(answer.read())
        head = json.dumps({"status": answer.status, "headers": kept})
        (self._folder / f"{name}.json").write_text(head)

    def learn_statements(
        self, calls: list[Callable[[], object]], writers_from: int, name: str
    ) -> None:
        """Record what these repository functions send."""
        statements = [statement_of(call) for call in calls]
        (self._folder / f"{name}.sql").write_bytes(pickle.dumps((writers_from, statements)))

    def requests(self, real: list[Request], path: str) -> list[Request]:
        """The same requests, to the recorded answer."""
        return [request._replace(path=path) for request in real[:1000]]


@contextmanager
def bare_server() -> Iterator[Bare]:
    import sys

    from config import db

    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        (Path(folder) / "ready.json").write_text('{"status": 204, "headers": []}')
        (Path(folder) / "ready.body").write_bytes(b"")
        command = [sys.executable, "-m", "uvicorn", "bare:app", "--port", str(port)]
        command += ["--app-dir", str(Path(__file__).parent), "--workers", str(WORKERS)]
        command += ["--log-level", "warning", "--no-access-log", "--no-server-header"]
        conninfo = db.pool.conninfo()
        with served(command, port, "/ready", ANSWERS=folder, CONNINFO=conninfo) as process:
            yield Bare(Path(folder), port, process)
