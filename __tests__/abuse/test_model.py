"""The talk against a model of it in thirty lines of plain Python: whatever people do, in whatever
order, the API says what the model says. The same stories every time; for others, and longer ones:

    MODEL_EXAMPLES=500 MODEL_STEPS=100 pytest -m slow __tests__/abuse/test_model.py
"""

import os
from dataclasses import dataclass, field

import pytest
from empty_database import empty_database
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    rule,
    run_state_machine_as_test,
)
from shop import headers_of

from app import app
from utils import request_budget

pytestmark = pytest.mark.slow

EXAMPLES = os.environ.get("MODEL_EXAMPLES")
SETTINGS = settings(
    max_examples=int(EXAMPLES or 25),
    stateful_step_count=int(os.environ.get("MODEL_STEPS", "30")),
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# Few letters, so that searches find something; and what a search must not take for a wildcard.
WORDS = st.text("abAB %_\\'ж", min_size=1, max_size=6)
TEXTS = WORDS.filter(str.strip)  # blanks alone are no text


@dataclass
class Post:
    id: int
    author: int
    text: str
    parent: int | None
    likes: set[int] = field(default_factory=set)
    views: set[int] = field(default_factory=set)
    deleted: bool = False


class Talk(RuleBasedStateMachine):
    """Members are known by their ids; one who left has no name any more. `posts` is by id."""

    members = Bundle("members")
    written = Bundle("written")

    def __init__(self):
        super().__init__()
        self.client = TestClient(app, raise_server_exceptions=False)
        self.names: dict[int, str | None] = {}
        self.tokens: dict[int, dict[str, str]] = {}
        self.posts: dict[int, Post] = {}
        empty_database()

    def ask(self, member, method, path, expected, **request):
        answer = self.client.request(method, f"/api/{path}", headers=self.tokens[member], **request)
        assert answer.status_code == expected, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content and answer.content != b"null" else None

    def seen_by(self, member, post):
        """The post as the API shall show it."""
        name = self.names[post.author]
        names = (name, "Anna", "Petrova") if name else ("deleted", "deleted", "deleted")
        author = dict(zip(("user_name", "first_name", "last_name"), names, strict=True))
        replies = [each for each in self.posts.values() if each.parent == post.id]
        return {
            **{"id": post.id, "text": post.text, "reply_to_id": post.parent, "edited_at": None},
            **{"likes_count": len(post.likes), "views_count": len(post.views)},
            "replies_count": sum(not each.deleted for each in replies),
            **{"user_liked": member in post.likes, "user_viewed": member in post.views},
            "user": {"id": post.author, **author},
        }

    def pages(self, member, between=None, **query):
        """All pages in one list, by their links; `between` is done after the first."""
        rows, path = [], "/api/posts"
        while path:
            answer = self.client.get(path, params=query, headers=self.tokens[member])
            assert answer.status_code == 200
            rows += [{k: v for k, v in row.items() if k != "created_at"} for row in answer.json()]
            path, query = answer.links.get("next", {}).get("url"), None
            if between:
                between, _ = None, between()
        return rows

    def expected(self, member, parent=None, **wanted):
        """What a list shows: the newest first, or replies, the oldest first."""
        found = [
            post
            for post in self.posts.values()
            if post.parent == parent
            and not post.deleted
            and post.author == wanted.get("owner_id", post.author)
            and wanted.get("search", "").lower() in post.text.lower()
        ]
        found.sort(key=lambda post: post.id, reverse=parent is None)
        return [self.seen_by(member, post) for post in found]

    def write(self, member, text, parent=None):
        body = {"text": text, "reply_to_id": parent}
        row = self.ask(member, "POST", "posts", 201, json=body)
        post = self.posts[row["id"]] = Post(row["id"], member, text, parent)
        del row["created_at"]
        assert row == self.seen_by(member, post)
        return post.id

    @rule(target=members, number=st.integers(1, 4))
    def register(self, number):
        """Of one name at a time; it is free again when its user has left."""
        name = f"gopher_{number}"
        body = {
            **{"user_name": name, "first_name": "Anna", "last_name": "Petrova"},
            **{"password": "gopher1!", "password_confirm": "gopher1!"},
        }
        answer = self.client.post("/api/users/signup", json=body)
        known = [member for member, taken in self.names.items() if taken == name]
        assert answer.status_code == (409 if known else 201)
        member = known[0] if known else answer.json()["id"]
        assert known or member not in self.names
        self.names[member] = name
        self.tokens.setdefault(member, headers_of(member))
        return member

    @rule(member=consumes(members))
    def leave(self, member):
        """The posts and marks stay, without a name. (The member may be there twice.)"""
        self.ask(member, "DELETE", f"users/{member}", 204 if self.names[member] else 401)
        self.names[member] = None

    def _is_in(self, member):
        if not self.names[member]:
            self.ask(member, "GET", "users/me", 401)
        return bool(self.names[member])

    @rule(target=written, member=members, text=TEXTS)
    def post(self, member, text):
        return self.write(member, text) if self._is_in(member) else 2**53 - 1

    @rule(target=written, member=members, text=TEXTS, parent=written)
    def reply(self, member, text, parent):
        if not self._is_in(member):
            return parent
        if parent not in self.posts or self.posts[parent].deleted:
            self.ask(member, "POST", "posts", 404, json={"text": text, "reply_to_id": parent})
            return parent
        return self.write(member, text, parent)

    @rule(member=members, post_id=written, mark=st.sampled_from(["like", "view"]))
    def mark(self, member, post_id, mark):
        if self._is_in(member):
            post = self.posts.get(post_id)
            marks = getattr(post, f"{mark}s", set())
            status = 404 if post is None or post.deleted else 409 if member in marks else 201
            self.ask(member, "POST", f"posts/{post_id}/{mark}", status)
            if status == 201:
                marks.add(member)

    @rule(member=members, post_id=written)
    def unlike(self, member, post_id):
        if self._is_in(member):
            post = self.posts.get(post_id)
            liked = post is not None and not post.deleted and member in post.likes
            self.ask(member, "DELETE", f"posts/{post_id}/like", 204 if liked else 404)
            if liked:
                post.likes.remove(member)

    @rule(member=members, post_id=written)
    def delete(self, member, post_id):
        if self._is_in(member):
            post = self.posts.get(post_id)
            may = post is not None and post.author == member and not post.deleted
            self.ask(member, "DELETE", f"posts/{post_id}", 204 if may else 404)
            if may:
                post.deleted = True

    @rule(member=members, post_id=written)
    def read(self, member, post_id):
        if self._is_in(member):
            post = self.posts.get(post_id)
            there = post is not None and not post.deleted
            row = self.ask(member, "GET", f"posts/{post_id}", 200 if there else 404)
            if there:
                del row["created_at"]
                assert row == self.seen_by(member, post)

    @rule(member=members, limit=st.integers(1, 4), newcomer=TEXTS)
    def read_the_feed_while_somebody_writes(self, member, limit, newcomer):
        if self._is_in(member):
            before = self.expected(member)
            rows = self.pages(member, lambda: self.write(member, newcomer), limit=limit)
            assert rows == before

    @rule(member=members, limit=st.integers(1, 4), parent=written)
    def read_replies(self, member, limit, parent):
        if self._is_in(member):
            rows = self.pages(member, limit=limit, reply_to_id=parent)
            assert rows == self.expected(member, parent)

    @rule(member=members, owner=members, limit=st.integers(1, 4))
    def read_somebodys(self, member, owner, limit):
        if self._is_in(member):
            rows = self.pages(member, limit=limit, owner_id=owner)
            assert rows == self.expected(member, owner_id=owner)

    @rule(member=members, limit=st.integers(1, 4), words=WORDS)
    def search(self, member, limit, words):
        if self._is_in(member):
            rows = self.pages(member, limit=limit, search=words)
            assert rows == self.expected(member, search=words)


def test_the_api_says_what_the_model_says(db, monkeypatch):
    # A busy machine may take longer than a request may: here it is the answers that count.
    start = request_budget.start_request
    monkeypatch.setattr(request_budget, "start_request", lambda seconds: start(60.0))
    run_state_machine_as_test(Talk, settings=SETTINGS)
