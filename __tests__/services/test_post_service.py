"""Posts: each service function is one call of the repository, with the same arguments."""

from unittest.mock import patch

import pytest

from services import post_service
from utils.errors import Conflict, NotFound

CALLS = [
    ("get_all_posts", "get_all_posts", ({"user_id": 1, "limit": 10, "offset": 0},)),
    ("get_post", "get_post_by_id", (5, 1)),
    ("create_post", "create_post", ({"text": "Hi", "user_id": 1, "reply_to_id": None},)),
    ("delete_post", "delete_post", (5, 1)),
    ("view_post", "view_post", (5, 1)),
    ("like_post", "like_post", (5, 1)),
    ("dislike_post", "dislike_post", (5, 1)),
]
READS = {"get_all_posts", "get_post", "create_post"}


@pytest.mark.parametrize(("service", "repository", "args"), CALLS)
class TestPostService:
    def test_asks_the_repository(self, service, repository, args):
        answer = object()
        with patch(f"repositories.post_repository.{repository}", return_value=answer) as call:
            result = getattr(post_service, service)(*args)

        call.assert_called_once_with(*args)
        assert result is (answer if service in READS else None)

    @pytest.mark.parametrize("error", [NotFound("Post not found"), Conflict("Post already liked")])
    def test_lets_its_errors_through(self, service, repository, args, error):
        with (
            patch(f"repositories.post_repository.{repository}", side_effect=error),
            pytest.raises(ValueError, match=f"^{error}$"),
        ):
            getattr(post_service, service)(*args)
