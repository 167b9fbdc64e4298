"""What the app opens when it starts and closes when it stops."""

import gc
from asyncio import create_task, get_running_loop
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool

from background.cache_invalidation import run_cache_invalidation
from background.heartbeat import run_heartbeat, run_watchdog
from background.pool_metrics import run_pool_metrics
from background.relay import run_relay
from background.replica_watch import run_replica_watch
from background.stream_reader import run_stream_reader
from background.sweeper import run_sweeper
from config import metrics
from config.log import configure_logging
from config.settings import get_settings
from config.startup import open_resources
from dependencies.routing.fastapi_internals import iter_route_contexts
from dependencies.routing.threads import in_worker_thread
from server import drain
from utils.background_thread import in_background


@asynccontextmanager
async def lifespan(app: Any) -> AsyncGenerator[None]:
    """Starlette's hook: what stands before the yield runs at start, the rest at stop."""
    settings = get_settings()
    configure_logging(settings)
    for route in iter_route_contexts(app.routes):
        for method in route.methods or ():
            metrics.expect(str(route.path_format), method)
    opened = ExitStack()
    try:
        await run_in_threadpool(opened.enter_context, open_resources(settings))
        opened.enter_context(in_background(run_relay))
        opened.enter_context(in_background(run_replica_watch))
        opened.enter_context(in_background(run_sweeper))
        opened.enter_context(in_background(run_stream_reader))
        opened.enter_context(in_background(run_cache_invalidation))
        opened.enter_context(in_background(run_pool_metrics))
        watchdog = partial(run_watchdog, ends_process=settings.workers > 1)
        opened.enter_context(in_background(watchdog))
        drain.install(get_running_loop())
        gc.freeze()  # what exists by now stays: the collector need not look at it again and again
        heartbeat = create_task(run_heartbeat(in_worker_thread))
        yield
        heartbeat.cancel()
    finally:
        await run_in_threadpool(opened.close)
