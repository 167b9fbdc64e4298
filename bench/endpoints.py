"""The table of what is measured. To add an endpoint is to add an entry.

`requests` are sent in order and over again, each of two threads its own half; `sql` calls the
repository functions behind the endpoint, whose statements are then given to pgbench.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from world import COMMON_WORD, NO_WORD, PASSWORD, World, search_path
from wrk import Request

# Stand for a writer and a post that differ from one execution to the next; see ceilings.py.
WRITER = 8_000_000_000_000_000_001
POST = 8_000_000_000_000_000_002
ORDER = UUID(int=3)


@dataclass(frozen=True)
class Endpoint:
    name: str
    requests: Callable[[World], list[Request]]
    sql: Callable[[World], list[Callable[[], object]]] = lambda world: []
    connections: int = 32
    writes: bool = False


def feed_sql(**how: object) -> Callable[[World], list[Callable[[], object]]]:
    """The statement of a page; a value that is a function is asked of the world."""

    def statements(world: World) -> list[Callable[[], object]]:
        from repositories import post_repository

        given = {name: value(world) if callable(value) else value for name, value in how.items()}
        dto = {"user_id": world.readers[0].id, "limit": 10, "offset": 0, **given}
        return [lambda: post_repository.get_all_posts(dto)]

    return statements


def repository_sql(
    module: str, *calls: tuple[str, tuple[object, ...]]
) -> Callable[[World], list[Callable[[], object]]]:
    def statements(world: World) -> list[Callable[[], object]]:
        functions = __import__(f"repositories.{module}", fromlist=["_"])

        def values(args: tuple[object, ...]) -> list[object]:
            return [each(world) if callable(each) else each for each in args]

        return [
            lambda name=name, args=args: getattr(functions, name)(*values(args))
            for name, args in calls
        ]

    return statements


def likes(world: World) -> list[Request]:
    """Blocks of likes, each followed by the same likes taken back."""
    pairs = world.pairs(12_800)
    requests = []
    for start in range(0, len(pairs), 320):
        for method in ("POST", "DELETE"):
            requests += [
                Request(method, f"/api/posts/{post}/like", person.token)
                for person, post in pairs[start : start + 320]
            ]
    return requests


def views(world: World) -> list[Request]:
    return [
        Request("POST", f"/api/posts/{post}/view", person.token)
        for person, post in world.pairs(60_000)
    ]


def new_posts(world: World) -> list[Request]:
    body = json.dumps({"text": "Good morning, gophers!"})
    return [Request("POST", "/api/posts", person.token, body) for person in world.writers]


def new_post(world: World) -> dict[str, object]:
    return {"text": "Good morning, gophers!", "user_id": world.writers[0].id, "reply_to_id": None}


def logins(world: World) -> list[Request]:
    return [
        Request(
            "POST",
            "/api/auth/login",
            body=json.dumps({"user_name": f"demo_{person.id}", "password": PASSWORD}),
        )
        for person in world.readers[:32]
    ]


def mixed(world: World) -> list[Request]:
    """Nine reads of several kinds, then a write."""
    pages = ["/api/posts?limit=10", world.tenth_page, f"/api/posts?owner_id={world.author}"]
    pages += [f"/api/posts?reply_to_id={world.talk}"] + [f"/api/posts/{p}" for p in world.middle]
    trios = zip(new_posts(world) * 94, likes(world), views(world), strict=False)
    writes = [write for trio in trios for write in trio]
    requests = []
    for number, write in enumerate(writes[:12_000]):
        for each in range(9):
            person = world.readers[(number + each) % len(world.readers)]
            path = pages[each % 4] if each < 6 else pages[(number + each) % len(pages)]
            requests.append(Request("GET", path, person.token))
        requests.append(write)
    return requests


def issue(world: World) -> list[Request]:
    return [Request("POST", "/api/app/token", body='{"ttl_minutes": 10}')] * 2


def new_orders(world: World) -> list[Request]:
    body = json.dumps({"items": [{"product_id": world.product, "quantity": 2}]})
    return [Request("POST", "/api/orders", person.token, body) for person in world.writers]


def new_order(world: World) -> dict[str, object]:
    items = [{"product_id": world.product, "quantity": 2}]
    return {"id": ORDER, "user_id": WRITER, "items": items}


def _reader(world: World) -> int:
    return world.readers[0].id


def _followed(world: World) -> int:
    return world.followed


ENDPOINTS = [
    Endpoint(
        "health-check",
        lambda world: [Request("GET", "/api/health-check")] * 2,
        repository_sql("system_repository", ("select_one", ())),
    ),
    Endpoint("feed", lambda world: world.reads("/api/posts?limit=10"), feed_sql()),
    Endpoint(
        "feed, page 10 by cursor",
        lambda world: world.reads(world.tenth_page),
        feed_sql(after_id=lambda world: world.tenth_after_id),
    ),
    Endpoint(
        "feed, offset 5000",
        lambda world: world.reads("/api/posts?limit=10&offset=5000"),
        feed_sql(offset=5000),
    ),
    Endpoint(
        "search, common word",
        lambda world: world.reads(search_path(COMMON_WORD)),
        feed_sql(search=COMMON_WORD),
    ),
    Endpoint(
        "search, rare word",
        lambda world: world.reads(search_path(world.rare_word)),
        feed_sql(search=lambda world: world.rare_word),
    ),
    Endpoint(
        "search, no hit", lambda world: world.reads(search_path(NO_WORD)), feed_sql(search=NO_WORD)
    ),
    Endpoint(
        "search, two letters, no hit",
        lambda world: world.reads(search_path("zq")),
        feed_sql(search="zq"),
    ),
    Endpoint(
        "one user's posts",
        lambda world: world.reads(f"/api/posts?limit=10&owner_id={world.author}"),
        feed_sql(owner_id=lambda world: world.author),
    ),
    Endpoint(
        "replies",
        lambda world: world.reads(f"/api/posts?limit=10&reply_to_id={world.talk}"),
        feed_sql(reply_to_id=lambda world: world.talk),
    ),
    Endpoint(
        "one post",
        lambda world: world.reads(*(f"/api/posts/{post}" for post in world.middle)),
        repository_sql(
            "post_repository",
            ("get_post_by_id", (lambda world: world.talk, lambda world: world.readers[0].id)),
        ),
    ),
    Endpoint("home", lambda world: world.reads("/api/posts?following=true&limit=10")),
    Endpoint(
        "followers",
        lambda world: world.reads(f"/api/users/{world.followed}/followers?limit=10"),
        repository_sql(
            "follow_repository",
            ("get_followers", (_followed, _reader, None, 11)),
        ),
    ),
    Endpoint(
        "notifications",
        lambda world: world.reads("/api/notifications?limit=10"),
        repository_sql(
            "notification_repository",
            ("get_notifications", (_reader, None, 11, 0)),
        ),
    ),
    Endpoint(
        "unread",
        lambda world: world.reads("/api/notifications/unread"),
        repository_sql("notification_repository", ("count_unread", (_reader,))),
    ),
    Endpoint(
        "create a post",
        new_posts,
        repository_sql("post_repository", ("create_post", (new_post,))),
        writes=True,
    ),
    Endpoint(
        "like and unlike",
        likes,
        repository_sql(
            "post_repository", ("like_post", (POST, WRITER)), ("dislike_post", (POST, WRITER))
        ),
        writes=True,
    ),
    Endpoint(
        "view",
        views,
        repository_sql("post_repository", ("view_post", (POST, WRITER))),
        writes=True,
    ),
    Endpoint("login", logins, connections=4),
    Endpoint("issue a token", issue),
    Endpoint(
        "validate a token",
        lambda world: [Request("GET", f"/api/app/valid/{world.app_token}")] * 2,
        repository_sql("token_repository", ("check_token", (lambda world: world.app_token,))),
    ),
    Endpoint(
        "create an order",
        new_orders,
        repository_sql("order_repository", ("create_order", (new_order, None))),
        writes=True,
    ),
    Endpoint(
        "one order",
        lambda world: [Request("GET", f"/api/orders/{world.order}", world.readers[0].token)] * 2,
        repository_sql("order_repository", ("get_order", (lambda world: world.order,))),
    ),
    Endpoint("mix, 90 % reads", mixed, writes=True),
]
