"""The router of a resource: FastAPI's, but whether a path is its own costs one look.

FastAPI asks one router after the other, and each tries its routes one by one, so that the last
resource of a large API pays for all the others. This is the shortcut for every resource.
"""

import re
from functools import cached_property

from fastapi import APIRouter
from starlette.routing import Match, Route
from starlette.types import Scope


class Router(APIRouter):
    """All its routes are declared before the first request, and none is mounted or included."""

    @cached_property
    def _paths(self) -> re.Pattern[str]:
        """Matches what any of its routes might match."""
        routes = [route for route in self.routes if isinstance(route, Route)]
        patterns = [re.sub(r"\(\?P<\w+>", "(?:", route.path_regex.pattern) for route in routes]
        return re.compile("|".join(patterns))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not self._paths.match(scope["path"]):
            return Match.NONE, {}
        return super().matches(scope)
