"""The bare ASGI application: answers each name with bytes that GopherTalk has answered before.

It knows the folder by the variable ANSWERS; an answer is a JSON file with status and headers, and
a file with the body.
"""

import json
import os
from pathlib import Path

ANSWERS = Path(os.environ.get("ANSWERS", "."))
_known = {}


def _answer(path):
    if path not in _known:
        head = json.loads((ANSWERS / f"{path}.json").read_text())
        headers = [(name.encode(), value.encode()) for name, value in head["headers"]]
        start = {"type": "http.response.start", "status": head["status"], "headers": headers}
        body = (ANSWERS / f"{path}.body").read_bytes()
        _known[path] = start, {"type": "http.response.body", "body": body}
    return _known[path]


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    start, body = _answer(scope["path"][1:])
    # uvicorn and the middleware change the list of headers: each answer has its own.
    await send({**start, "headers": list(start["headers"])})
    await send(body)
