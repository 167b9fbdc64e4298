"""Seeds a demo community into an empty database, in one transaction."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import bcrypt

from demo.crowd import Crowd, Size
from repositories import demo_repository
from repositories.sql import transaction
from services import access_rules
from utils.errors import Conflict

# The same for all demo users; README.md names it.
PASSWORD = "gopher1!"  # noqa: S105
# The age of the oldest post.
PERIOD = timedelta(days=365)

# Yields the rows that it gets, and counts them meanwhile.
Progress = Callable[[Iterable[str]], Iterator[str]]


def seed(size: Size, seed: int, rounds: int, progress: Progress = iter, force: bool = False) -> int:
    """Returns the id of the first demo user; their user names are `demo_<id>`. Raises Forbidden,
    and Conflict when there are users or posts already, unless `force` is set, or when a member has
    the name of a demo user."""
    access_rules.require_permission("user:create")
    if not force and not demo_repository.is_empty():
        raise Conflict("There are users or posts in this database already")
    password_hash = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds)).decode()
    with transaction() as conn:
        demo_repository.lift_time_limits(conn)
        demo_repository.drop_constraints_and_indexes(conn)
        last_user_id = demo_repository.get_last_user_id(conn)
        last_post = demo_repository.get_last_post(conn)
        last_follow_id = demo_repository.get_last_follow_id(conn)
        # The times of the posts must follow the order of their ids, also after existing posts.
        now = datetime.now(UTC)
        start = max(now - PERIOD, last_post["created_at"] or now - PERIOD)
        crowd = Crowd(size, seed, start, now)
        first_user, first_post = last_user_id + 1, last_post["id"] + 1

        users = crowd.user_rows(first_user, password_hash)
        demo_repository.copy_users(progress(users), conn)
        demo_repository.copy_posts(progress(crowd.post_rows(first_post, first_user)), conn)
        marks = partial(crowd.mark_rows, first_post=first_post, first_user=first_user)
        demo_repository.copy_likes(progress(marks(crowd.likes)), conn)
        demo_repository.copy_views(progress(marks(crowd.views)), conn)
        follows = crowd.follow_rows(last_follow_id + 1, first_user)
        demo_repository.copy_follows(progress(follows), conn)
        demo_repository.insert_notifications(last_post["id"], last_follow_id, conn)

        demo_repository.set_sequences(
            last_user_id + size.users,
            last_post["id"] + size.posts,
            last_follow_id + size.follows,
            conn,
        )
        demo_repository.restore_constraints_and_indexes(conn)
        demo_repository.analyze(conn)
    return first_user
