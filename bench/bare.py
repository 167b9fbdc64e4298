"""The two bare ASGI applications under one roof. Each answers a name with bytes that GopherTalk has
answered before: `/feed` at once, `/feed/sql` after it has sent GopherTalk's statements through the
same driver and a pool of the same size in a thread.

The folder is in the variable ANSWERS. An answer is a JSON file with status and headers, a file with
the body, and a pickle with the statements.
"""

import json
import os
import pickle
from itertools import count
from pathlib import Path
from uuid import uuid4

from endpoints import ORDER, POST, WRITER
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from starlette.concurrency import run_in_threadpool

ANSWERS = Path(os.environ.get("ANSWERS", "."))
# As many writers as clients, each at a post of its own: nobody likes a post twice.
WRITERS = 8
numbers = count()
pool = ConnectionPool(
    os.environ.get("CONNINFO", ""),
    kwargs={"autocommit": True, "row_factory": dict_row},
    min_size=2,
    max_size=10,
    open=False,
)
_known = {}
_statements = {}


def _answer(name):
    if name not in _known:
        head = json.loads((ANSWERS / f"{name}.json").read_text())
        headers = [(name.encode(), value.encode()) for name, value in head["headers"]]
        start = {"type": "http.response.start", "status": head["status"], "headers": headers}
        body = (ANSWERS / f"{name}.body").read_bytes()
        _known[name] = start, {"type": "http.response.body", "body": body}
    return _known[name]


def _send_statements(name):
    if name not in _statements:
        _statements[name] = pickle.loads((ANSWERS / f"{name}.sql").read_bytes())
    first_writer, statements = _statements[name]
    number = next(numbers)
    moving = {WRITER: first_writer + number % WRITERS, POST: number // WRITERS + 1, ORDER: uuid4()}
    for query, params in statements:
        values = [
            value if isinstance(value, list) else moving.get(value, value) for value in params
        ]
        with pool.connection() as conn:
            cursor = conn.execute(query, values)
            if cursor.description:
                cursor.fetchall()


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    name, _, sql = scope["path"][1:].partition("/")
    if sql:
        await run_in_threadpool(_send_statements, name)
    start, body = _answer(name)
    # uvicorn and the middleware change the list of headers: each answer has its own.
    await send({**start, "headers": list(start["headers"])})
    await send(body)


async def _live(receive, send):
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup" and os.environ.get("CONNINFO"):
            pool.open()
        if message["type"] == "lifespan.shutdown":
            pool.close()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
