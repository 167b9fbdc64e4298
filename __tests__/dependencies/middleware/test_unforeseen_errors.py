"""What no error handler knows; `test_errors.py` has the answers."""

import pytest
from fastapi.testclient import TestClient

from dependencies.middleware.unforeseen_errors import UnforeseenErrors


def test_an_answer_that_has_begun_is_not_answered_again():
    async def half(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        TestClient(UnforeseenErrors(half)).get("/")


def test_what_is_not_http_raises_on():
    async def broken(scope, receive, send):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), TestClient(UnforeseenErrors(broken)):
        pass
