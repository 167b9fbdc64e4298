"""What the app opens when it starts and closes when it stops."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager

from starlette.concurrency import run_in_threadpool

from background.relay import run_relay
from background.shop_sweeper import run_shop_sweeper
from config.log import configure_logging
from config.settings import get_settings
from config.startup import in_background, running


@asynccontextmanager
async def lifespan(app: object) -> AsyncGenerator[None]:
    """Starlette's hook: what stands before the yield runs at start, the rest at stop."""
    settings = get_settings()
    configure_logging(settings)
    opened = ExitStack()
    try:
        await run_in_threadpool(opened.enter_context, running(settings))
        opened.enter_context(in_background(run_relay))
        opened.enter_context(in_background(run_shop_sweeper))
        yield
    finally:
        await run_in_threadpool(opened.close)
