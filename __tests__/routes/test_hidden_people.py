"""Who blocks, is blocked, or mutes: every endpoint that shows a person or a post, both ways round.

Anna reads; Boris is the one whom she does not see. Before that, each answer is checked to show him,
so that every test here could fail.
"""

import pytest
from operations import OPERATIONS

from repositories.sql import execute

BORIS = "gopher_boris"
# About Boris himself, or about a post of his: reading answers 404, and so does every change.
ABOUT_BORIS = [
    *("get_user", "get_followers", "get_following", "follow_user", "unfollow_user", "mute_user"),
    *("get_post", "get_post_history", "view_post", "like_post", "unlike_post"),
]
# What a muted person does can still be asked for; some of it anna has done before.
ANSWERS_WHEN_MUTED = {
    **{"get_user": 200, "get_followers": 200, "get_following": 200},
    **{"follow_user": 409, "unfollow_user": 204, "mute_user": 409},
    **{"get_post": 200, "get_post_history": 200, "view_post": 201},
    **{"like_post": 409, "unlike_post": 204},
}
BLOCKS = {"anna blocks": (0, 1), "boris blocks": (1, 0)}


class Scene:
    """What Boris has done: a post, answers to Anna's post and to Carl's, a like, a mention."""

    def __init__(self, client, person, write):
        self.client = client
        self.anna, self.boris = person("gopher_anna"), person(BORIS)
        self.carl = person("gopher_carl")
        self.annas, self.carls = write(self.anna, "by anna"), write(self.carl, "by carl")
        self.post = write(self.boris, "hello @gopher_anna, the axolotl")
        self.answer = write(self.boris, "an answer", self.annas)
        write(self.boris, "another answer", self.carls)
        self.under_boris = write(self.carl, "under his", self.post)
        for who, path in [
            (self.boris, f"posts/{self.annas}/like"),
            (self.anna, f"posts/{self.post}/like"),
            (self.boris, f"users/{self.anna.id}/follow"),
            (self.anna, f"users/{self.boris.id}/follow"),
            (self.boris, f"users/{self.carl.id}/follow"),
            (self.carl, f"users/{self.boris.id}/follow"),
        ]:
            assert self.ask(who, "POST", path).status_code == 201

    def ask(self, who, method, path, **body):
        return self.client.request(method, f"/api/{path}", headers=who.headers, **body)

    def lists(self):
        """Each list that shows Boris to Anna, and whether a mute hides him in it."""
        return {
            "posts": True,
            "posts?search=axolotl": True,
            "posts?search=zq%20ax": True,
            "posts?following=true": True,
            f"posts?reply_to_id={self.annas}": True,
            f"posts?reply_to_id={self.carls}": True,
            "notifications": True,
            f"posts?owner_id={self.boris.id}": False,
            "users": False,
            "users?search=boris": False,
            "users?search=bo": False,
            f"users/{self.anna.id}/followers": False,
            f"users/{self.anna.id}/following": False,
            f"users/{self.carl.id}/followers": False,
            f"users/{self.carl.id}/following": False,
        }

    def shows_boris(self, path):
        answer = self.ask(self.anna, "GET", path)
        assert answer.status_code == 200, path
        return BORIS in answer.text

    def act(self, operation_id, who, about, post):
        operation = OPERATIONS[operation_id]
        path = operation.path.format(user_id=about.id, post_id=post).removeprefix("/api/")
        return self.ask(who, operation.method, path)

    def hide(self, how, who=0, whom=1):
        people = (self.anna, self.boris)
        path = f"users/{people[whom].id}/{how}"
        assert self.ask(people[who], "POST", path).status_code == 201


@pytest.fixture
def scene(client, person, write):
    return Scene(client, person, write)


def test_every_endpoint_about_a_person_or_a_post_is_looked_at():
    """Of those that members may use. The others are one's own things, or for administrators."""
    about = {
        name
        for name, operation in OPERATIONS.items()
        if {"user_id", "post_id"} & set(operation.in_path)
    }
    own_posts = {"delete_post", "edit_post"}
    by_permission = {"delete_user", "put_user", "update_user", "get_orders_of_user"}
    by_permission |= {"get_user_roles", "set_user_roles"}
    of_the_relation = {"unmute_user", "block_user", "unblock_user"}
    assert about == {*ABOUT_BORIS, *own_posts, *by_permission, *of_the_relation}


@pytest.mark.parametrize("pair", BLOCKS)
def test_a_block_hides_each_from_the_other(scene, pair):
    before = {path: scene.shows_boris(path) for path in scene.lists() if "zq" not in path}
    assert set(before.values()) == {True}, before
    unread = scene.ask(scene.anna, "GET", "notifications/unread").json()["count"]

    scene.hide("block", *BLOCKS[pair])

    after = {path: scene.shows_boris(path) for path in scene.lists()}
    assert set(after.values()) == {False}, after
    # The answer, the like, the mention and the follow.
    assert unread == 4
    assert scene.ask(scene.anna, "GET", "notifications/unread").json()["count"] == 0
    replies = scene.ask(scene.anna, "GET", f"posts?reply_to_id={scene.post}")
    assert (replies.status_code, replies.json()) == (200, [])


@pytest.mark.parametrize("pair", BLOCKS)
@pytest.mark.parametrize("operation_id", ABOUT_BORIS)
def test_a_block_answers_404(scene, operation_id, pair):
    scene.hide("block", *BLOCKS[pair])

    answer = scene.act(operation_id, scene.anna, scene.boris, scene.post)
    back = scene.act(operation_id, scene.boris, scene.anna, scene.annas)

    assert (answer.status_code, back.status_code) == (404, 404), (answer.text, back.text)


@pytest.mark.parametrize("pair", BLOCKS)
def test_in_a_block_nobody_answers_and_a_mention_is_told_to_nobody(scene, pair):
    scene.hide("block", *BLOCKS[pair])
    body = {"text": "hm", "reply_to_id": scene.post}
    assert scene.ask(scene.anna, "POST", "posts", json=body).status_code == 404
    body = {"text": "to @gopher_anna", "reply_to_id": None}
    assert scene.ask(scene.boris, "POST", "posts", json=body).status_code == 201
    assert scene.ask(scene.anna, "GET", f"users/{BORIS}").status_code == 404

    who, whom = ((scene.anna, scene.boris), (scene.boris, scene.anna))[pair == "boris blocks"]
    assert scene.ask(who, "DELETE", f"users/{whom.id}/block").status_code == 204

    told = scene.ask(scene.anna, "GET", "notifications?limit=100").json()
    # Not the follow, which the block ended, nor what was written during the block.
    assert sorted(each["kind"] for each in told) == ["answer", "like", "mention"]
    assert scene.shows_boris("posts")
    assert not scene.shows_boris("posts?following=true")  # the follow ended


def test_a_mute_hides_what_was_not_asked_for(scene):
    scene.hide("mute")

    after = {path: not scene.shows_boris(path) for path in scene.lists() if "zq" not in path}
    assert after == {path: hides for path, hides in scene.lists().items() if "zq" not in path}
    assert scene.ask(scene.anna, "GET", "notifications/unread").json()["count"] == 0
    # Boris notices nothing.
    feed = scene.ask(scene.boris, "GET", "posts").text
    assert "by anna" in feed
    assert scene.ask(scene.boris, "GET", f"users/{scene.anna.id}").status_code == 200

    assert scene.ask(scene.anna, "DELETE", f"users/{scene.boris.id}/mute").status_code == 204
    assert scene.shows_boris("posts")


@pytest.mark.parametrize("operation_id", ABOUT_BORIS)
def test_what_a_muted_person_did_can_be_asked_for(scene, operation_id):
    scene.hide("mute")

    answer = scene.act(operation_id, scene.anna, scene.boris, scene.post)

    assert answer.status_code == ANSWERS_WHEN_MUTED[operation_id]


def test_lists_of_mutes_and_blocks_are_ones_own(scene):
    scene.hide("mute")
    assert scene.shows_boris("users/me/mutes")
    assert scene.ask(scene.boris, "GET", "users/me/mutes").json() == []

    scene.hide("block", 1, 0)

    assert not scene.shows_boris("users/me/mutes")
    [blocked] = scene.ask(scene.boris, "GET", "users/me/blocks").json()
    assert blocked["id"] == scene.anna.id
    assert scene.ask(scene.anna, "GET", "users/me/blocks").json() == []


def test_who_may_read_private_profiles_sees_them_whoever_blocks(scene, person):
    root = person("gopher_root", is_superuser=True)
    scene.hide("block")
    assert scene.ask(scene.anna, "POST", f"users/{root.id}/block").status_code == 201

    assert scene.ask(root, "GET", f"users/{scene.anna.id}").json()["user_name"] == "gopher_anna"
    assert scene.ask(root, "GET", "users/gopher_anna").json()["is_active"] is True


def test_a_guest_who_may_read_sees_everybody(scene, client):
    execute("""
        INSERT INTO role_permissions (role_id, permission_id)
        SELECT r.id, p.id
        FROM roles r
        JOIN permissions p ON p.resource = 'post' AND p.action = 'read'
        WHERE r.name = 'guest'
    """)
    scene.hide("block")

    from services import access_cache

    access_cache.invalidate_all()
    assert BORIS in client.get("/api/posts").text
    assert client.get("/api/posts?following=true").status_code == 401
