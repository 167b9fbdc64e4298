"""A demo community in an empty database: one transaction, all or nothing."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import bcrypt

from demo.crowd import Crowd, Size
from repositories import demo_repository
from repositories.sql import transaction
from services import access_rules
from utils.errors import Conflict

# Of every demo user; README.md says so.
PASSWORD = "gopher1!"  # noqa: S105
SPAN = timedelta(days=365)

Progress = Callable[[Iterable[str]], Iterator[str]]


def seed(size: Size, seed: int, rounds: int, progress: Progress = iter, force: bool = False) -> int:
    """Returns the first user's id; demo users are called `demo_<id>`. The rows pass through
    `progress`. Raises Conflict when there is something in the database already, unless forced."""
    access_rules.require_permission("user:create")
    if not force and not demo_repository.is_empty():
        raise Conflict("There are users or posts in this database already")
    password_hash = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds)).decode()
    with transaction() as conn:
        demo_repository.allow_hours(conn)
        demo_repository.take_apart(conn)
        last_user = demo_repository.user_ends(conn)["last_id"]
        posts = demo_repository.post_ends(conn)
        # Newer ids are newer posts, also behind those that were there.
        now = datetime.now(UTC)
        start = max(now - SPAN, posts["last_time"] or now - SPAN)
        crowd = Crowd(size, seed, start, now)
        first_user, first_post = last_user + 1, posts["last_id"] + 1

        users = crowd.user_rows(first_user, password_hash)
        demo_repository.copy_users(progress(users), conn)
        demo_repository.copy_posts(progress(crowd.post_rows(first_post, first_user)), conn)
        marks = partial(crowd.mark_rows, first_post=first_post, first_user=first_user)
        demo_repository.copy_likes(progress(marks(crowd.likes)), conn)
        demo_repository.copy_views(progress(marks(crowd.views)), conn)

        demo_repository.move_ids(last_user + size.users, posts["last_id"] + size.posts, conn)
        demo_repository.put_together(conn)
        demo_repository.analyze(conn)
    return first_user
