"""Who acts, for services that are called without HTTP."""

from contextlib import ExitStack

import pytest

from services.access_rules import SYSTEM, acting_as


@pytest.fixture
def caller():
    """Sets who acts from now on: `caller(1, "user:create", is_superuser=True)`; 0 is a guest."""
    with ExitStack() as stack:

        def become(user_id, *permissions, **claims):
            who = {
                "sub": str(user_id),
                "exp": 0,
                "sid": "s1",
                "permissions": frozenset(permissions),
            }
            stack.enter_context(acting_as({**who, **claims}))

        yield become


@pytest.fixture
def system():
    """A program acts."""
    with acting_as(SYSTEM):
        yield
