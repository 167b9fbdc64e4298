"""Which of the two statements gives the home timeline."""

from unittest.mock import MagicMock

import pytest

from services import home_service
from services.access_rules import acting_as
from utils.errors import Forbidden, InvalidCredentials, Unprocessable

WANTED = {"user_id": 7, "limit": 3, "after_id": 50}


@pytest.fixture
def repository(monkeypatch):
    repository = MagicMock()
    repository.get_from_authors.return_value = ["a", "b"]
    monkeypatch.setattr(home_service, "home_repository", repository)
    with acting_as({"sub": "7", "exp": 0, "permissions": {"post:read"}}):
        yield repository


def test_the_feed_is_walked_first(repository):
    repository.get_from_feed.return_value = ["x", "y", "z"]

    assert home_service.get_home(3, 50) == ["x", "y", "z"]
    repository.get_from_feed.assert_called_once_with(WANTED)
    repository.get_from_authors.assert_not_called()


def test_where_that_does_not_fill_the_page_the_authors_are_asked_one_by_one(repository):
    repository.get_from_feed.return_value = ["x", "y"]

    assert home_service.get_home(3, 50) == ["a", "b"]
    repository.get_from_authors.assert_called_once_with(WANTED)


@pytest.mark.parametrize(
    ("caller", "error"),
    [
        ({"sub": "0", "exp": 0, "permissions": {"post:read"}}, InvalidCredentials),
        ({"sub": "7", "exp": 0, "permissions": set()}, Forbidden),
    ],
)
def test_it_is_for_members_who_may_read(repository, caller, error):
    with acting_as(caller), pytest.raises(error):
        home_service.get_home(3, None)


@pytest.mark.parametrize("others", [(1, 0, 0, ""), (0, 1, 0, ""), (0, 0, 1, ""), (0, 0, 0, "x")])
def test_it_goes_together_with_no_other_choice(others):
    home_service.check_alone(0, 0, 0, "")
    with pytest.raises(Unprocessable):
        home_service.check_alone(*others)
