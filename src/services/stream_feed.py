"""What happened, put in words for those who may see it: a few statements for all of them."""

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from pydantic_core import to_json

from dto.stream_dto import DeletedPost, StreamEvent
from repositories import stream_repository
from repositories.stream_repository import EventRow, Position
from services.stream_positions import as_id

# By reader: the events in their order.
Feed = dict[int, list[tuple[Position, StreamEvent]]]
OF_POSTS = ("post", "post_edited")
DELETED = "post_deleted"


def feed_of(rows: list[EventRow], reader_ids: set[int], seconds: int) -> Feed:
    """Whether somebody may see something is decided here and now, by what the database says at this
    moment. `seconds`: when the rows were read. Raises Unavailable."""
    if not rows or not reader_ids:
        return {}
    rows = _without_repeated_counts(rows)
    found = _of_posts(rows, reader_ids) | _of_told(rows, reader_ids)
    feed: Feed = {}
    for row in rows:
        position = row["position"]
        for reader_id, data in found.get(position, ()):
            event = _event(as_id(position, seconds), row["kind"], data)
            feed.setdefault(reader_id, []).append((position, event))
    return feed


# One object for all who are sent the same.
_event = lru_cache(maxsize=512)(StreamEvent)

# By position: who is sent what.
_Found = dict[Position, list[tuple[int, str]]]


def _without_repeated_counts(rows: list[EventRow]) -> list[EventRow]:
    """The last `unread` of each reader: the count is that of this moment anyway."""
    last = {row["user_id"]: row["position"] for row in rows if row["kind"] == "unread"}
    return [
        row for row in rows if row["kind"] != "unread" or last[row["user_id"]] == row["position"]
    ]


def _of_posts(rows: list[EventRow], reader_ids: set[int]) -> _Found:
    told = [row for row in rows if row["kind"] in (*OF_POSTS, DELETED)]
    if not told:
        return {}
    post_ids = list({int(row["object_id"] or 0) for row in told})
    viewers: dict[int, list[stream_repository.Viewer]] = {}
    for viewer in stream_repository.get_viewers(post_ids, list(reader_ids)):
        viewers.setdefault(viewer["post_id"], []).append(viewer)
    posts: dict[int, Any] = {}
    if viewers and any(row["kind"] in OF_POSTS for row in told):
        posts = {post["id"]: post for post in stream_repository.get_posts(list(viewers))}

    @cache
    def post_as(post_id: int, user_liked: bool, user_viewed: bool) -> str:
        own = {"user_liked": user_liked, "user_viewed": user_viewed}
        return to_json(posts[post_id] | own).decode()

    found: _Found = {}
    for row in told:
        post_id = int(row["object_id"] or 0)
        those = viewers.get(post_id, [])
        if row["kind"] == DELETED:
            data = _json(DeletedPost(id=post_id))
            found[row["position"]] = [(each["reader_id"], data) for each in those]
        elif post_id in posts:
            found[row["position"]] = [
                (each["reader_id"], post_as(post_id, each["user_liked"], each["user_viewed"]))
                for each in those
            ]
    return found


def _of_told(rows: list[EventRow], reader_ids: set[int]) -> _Found:
    told = [row for row in rows if row["user_id"] in reader_ids]
    new = [row for row in told if row["kind"] == "notification"]
    counted = [row for row in told if row["kind"] == "unread"]
    found: _Found = {}
    if new:
        ids = [int(row["object_id"] or 0) for row in new]
        shown = stream_repository.get_notifications(_users(new), ids)
        data = {each["id"]: (each.pop("reader_id"), _json(each)) for each in shown}
        for row in new:
            if row["object_id"] in data:
                found[row["position"]] = [data[row["object_id"]]]
    if counted:
        counts = stream_repository.count_unread(_users(counted))
        for row in counted:
            if row["user_id"] in counts:
                count = _json({"count": counts[row["user_id"]]})
                found[row["position"]] = [(row["user_id"], count)]
    return found


def _users(rows: Iterable[EventRow]) -> list[int]:
    return list({row["user_id"] for row in rows})


def _json(value: Any) -> str:
    return to_json(value).decode()
