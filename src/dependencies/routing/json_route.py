"""How a controller's result becomes bytes: the one shortcut that every resource uses.

FastAPI would validate each answer against its model and do so in a second thread. Here the
answer, plain dicts of listed columns, is written by pydantic's core in the thread that produced
it. The models in the route tables are the documentation; tests compare them with the answers.
"""

import json
from asyncio import Future, ensure_future, shield, sleep, wait, wrap_future
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import wraps
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import to_json

from dependencies.routing.plan import plan_of
from dependencies.routing.threads import HASHING_THREADS, in_worker_thread
from utils.errors import TablesChanged, Unavailable
from utils.request_budget import current_budget

HASHING_SECONDS = 10.0

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Utf8Request(Request):
    """JSON is UTF-8 (RFC 8259, section 8.1); Python would read UTF-16 and UTF-32 as well."""

    async def json(self) -> Any:
        return json.loads((await self.body()).decode("utf-8-sig"))


class JsonRoute(APIRoute):
    """A route whose controller returns plain data: dicts, lists, dates, decimals, or nothing."""

    request_class: type[Request] = Utf8Request

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        answer = _answering(endpoint, options.get("status_code") or 200)
        super().__init__(path, self._scheduled(answer), **options)
        self.plan = plan_of(self.dependant, self._embed_body_fields)

    def get_route_handler(self) -> Handler:
        """FastAPI's own way, without the plan."""
        handle = super().get_route_handler()

        async def handle_request(request: Request) -> Response:
            return await handle(self.request_class(request.scope, request.receive))

        return handle_request

    def _scheduled(self, answer: Callable[..., Response]) -> Callable[..., Any]:
        """How and where the controller runs."""

        @wraps(answer)
        async def in_worker_threads(*args: Any, **kwargs: Any) -> Response:
            return await in_worker_thread(answer, *args, **kwargs)

        return in_worker_threads


class HashingRoute(JsonRoute):
    """The same for a controller that hashes a password."""

    def _scheduled(self, answer: Callable[..., Response]) -> Callable[..., Any]:
        @wraps(answer)
        async def in_own_threads(*args: Any, **kwargs: Any) -> Response:
            def work() -> Response:
                current_budget().restart()  # the queue before these threads may be long
                return answer(*args, **kwargs)

            job = HASHING_THREADS.submit(copy_context().run, work)
            running = wrap_future(job)
            await wait([running], timeout=HASHING_SECONDS)
            if job.cancel():  # it has not begun; what has begun is waited for
                raise Unavailable("Too many logins at once, please try again shortly")
            return await running

        return in_own_threads


class SharedRoute(JsonRoute):
    """The same for a controller whose answer is everybody's, and asked for by many at once.

    It runs once at a time. All who come before it begins get its answer; who comes while it runs,
    that of the next run: one that began after they came, so that nobody is told what was true
    before.
    """

    def _scheduled(self, answer: Callable[..., Response]) -> Callable[..., Any]:
        run = super()._scheduled(answer)
        current: Future[Response] | None = None
        following: Future[Response] | None = None

        async def run_after(previous: Future[Response] | None) -> Response:
            nonlocal current, following
            await (wait([previous]) if previous else sleep(0))
            current, following = following, None
            try:
                return await run()
            finally:
                current = None

        @wraps(answer)
        async def shared() -> Response:
            nonlocal following
            if following is None:
                following = ensure_future(run_after(current))
            return await shield(following)

        return shared


def _answering(endpoint: Callable[..., Any], status: int) -> Callable[..., Response]:
    @wraps(endpoint)
    def answer(*args: Any, **kwargs: Any) -> Response:
        try:
            result = endpoint(*args, **kwargs)
        except TablesChanged:  # its transaction did nothing: a migration need not cost a request
            result = endpoint(*args, **kwargs)
        if isinstance(result, Response):
            return result
        if status == 204:
            return Response(status_code=204)
        return Response(to_json(result), status, media_type="application/json")

    return answer
