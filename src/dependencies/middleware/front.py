"""Middleware in front of all that FastAPI itself puts around an app.

FastAPI keeps three layers outside of an app's middleware, for OpenTelemetry, a body limit and
errors. Nothing here uses them, so what answers a request by itself (`fast_lane.py`) comes first.
"""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp


class FrontedFastAPI(FastAPI):
    """`front` is to be set before the first request; the outermost first."""

    front: Sequence[Middleware] = ()

    def build_middleware_stack(self) -> ASGIApp:
        app = super().build_middleware_stack()
        for middleware_class, args, kwargs in reversed(self.front):
            app = middleware_class(app, *args, **kwargs)
        return app
