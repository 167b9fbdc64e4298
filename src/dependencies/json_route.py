"""How a controller's result becomes bytes: the one shortcut that every resource uses.

FastAPI would validate each answer against its model and do so in a second thread. Here the
answer, plain dicts of listed columns, is written by pydantic's core in the thread that produced
it. The models in the route tables are the documentation; tests compare them with the answers.
"""

from asyncio import get_running_loop, wait_for
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from typing import Any

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic_core import to_json

from utils.errors import Unavailable

# Hashing a password takes a core for a quarter of a second and more. Two threads of its own keep
# a flood of logins from taking the worker threads, and the processors, from everybody else.
HASHING_THREADS = ThreadPoolExecutor(2, thread_name_prefix="hashing")
HASHING_SECONDS = 10.0


class JsonRoute(APIRoute):
    """A route whose controller returns plain data: dicts, lists, dates, decimals, or nothing."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        answer = _answering(endpoint, options.get("status_code") or 200)
        super().__init__(path, self._scheduled(answer), **options)

    def _scheduled(self, answer: Callable[..., Response]) -> Callable[..., Any]:
        return answer  # FastAPI runs it in one of the worker threads


class HashingRoute(JsonRoute):
    """The same for a controller that hashes a password."""

    def _scheduled(self, answer: Callable[..., Response]) -> Callable[..., Any]:
        @wraps(answer)
        async def in_own_threads(*args: Any, **kwargs: Any) -> Response:
            work = partial(copy_context().run, partial(answer, *args, **kwargs))
            running = get_running_loop().run_in_executor(HASHING_THREADS, work)
            try:
                return await wait_for(running, HASHING_SECONDS)
            except TimeoutError as error:
                raise Unavailable("Too many logins at once, please try again shortly") from error

        return in_own_threads


def _answering(endpoint: Callable[..., Any], status: int) -> Callable[..., Response]:
    @wraps(endpoint)
    def answer(*args: Any, **kwargs: Any) -> Response:
        result = endpoint(*args, **kwargs)
        if isinstance(result, Response):
            return result
        if status == 204:
            return Response(status_code=204)
        return Response(to_json(result), status, media_type="application/json")

    return answer
