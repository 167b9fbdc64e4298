"""For controllers alone: no database, and callers who need no token."""

from unittest.mock import MagicMock, patch

import pytest

from app import app
from dependencies.auth import get_current_user


@pytest.fixture
def no_database():
    with patch("config.db.pool", MagicMock(closed=True)) as pool:
        yield
        pool.connection.assert_not_called()


@pytest.fixture
def come_from(monkeypatch):
    """Requests come from user 1, whose payload is the course's; or from whom the test says."""

    def come_from(sub, *permissions, **claims):
        payload = {"sub": sub, "exp": 9999999999, "permissions": frozenset(permissions), **claims}
        monkeypatch.setitem(app.dependency_overrides, get_current_user, lambda: payload)

    payload = {"sub": "1", "exp": 9999999999}
    monkeypatch.setitem(app.dependency_overrides, get_current_user, lambda: payload)
    return come_from
