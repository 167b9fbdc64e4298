"""Requests that may be sent twice: with the same `Idempotency-Key`, what they make is made once.

The guard `IDEMPOTENT` of a route says which key the request has (`utils.context`); the service that
the route calls makes what it makes in `once`.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from pydantic_core import from_json, to_json

from repositories import idempotency_repository
from repositories.sql import transaction
from utils import context
from utils.errors import Unprocessable

Answer = TypeVar("Answer")


def once(request: object, make: Callable[..., Answer]) -> Answer:
    """What `make` returns. `request` is what the client sent, beside the path.

    Without a key, `make` is called without arguments. With one, it gets the connection of the
    transaction in which the key and the answer are stored; if it raises, the key stays unused. A
    request with a key that was used within the last day gets the answer of then, in which times
    and amounts are text. While the first request runs, others with its key wait.

    Raises Unprocessable when the key was used for another request.
    """
    key = context.idempotency_key.get()
    if key is None:
        return make()
    request_hash = sha256(to_json(request)).digest()
    with transaction() as conn:
        if idempotency_repository.claim_key(key, request_hash, conn):
            answer = make(conn)
            idempotency_repository.store_answer(key, to_json(answer).decode(), conn)
            return answer
        use = idempotency_repository.get_use(key, conn)
    if (use["endpoint"], use["request_hash"]) != (key.endpoint, request_hash):
        raise Unprocessable(
            "This Idempotency-Key was used for another request",
            ("header", "Idempotency-Key"),
            code="idempotency_key_reused",
        )
    return from_json(use["answer"])
