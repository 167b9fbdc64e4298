"""What the endpoints are asked about: people with tokens, posts, users and words of all kinds."""

import random
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from urllib.parse import quote

from house import READERS, get
from wrk import Request

COMMON_WORD = "gopher"
NO_WORD = "zzqxjv"
PASSWORD = "gopher1!"


@dataclass(frozen=True)
class Person:
    id: int
    token: str


class World:
    """Asks the database for what is needed; `url` is the server's."""

    def __init__(self, url: str) -> None:
        from services import auth_service

        self.url = url
        self.readers = [
            Person(row["id"], auth_service.generate_token_pair(row["id"])["access_token"])
            for row in _rows("SELECT id FROM users WHERE user_name LIKE 'demo%%' LIMIT %s", READERS)
        ]
        self.writers = [
            Person(user_id, auth_service.generate_token_pair(user_id)["access_token"])
            for user_id in _writers()
        ]

    def reads(self, *paths: str) -> list[Request]:
        """Every reader asks for one of the paths in turn."""
        return [
            Request("GET", paths[number % len(paths)], person.token)
            for number, person in enumerate(self.readers)
        ]

    def pairs(self, number: int) -> list[tuple[Person, int]]:
        """Different pairs of a writer and a post that nobody of them has liked or viewed."""
        rng = random.Random(1)
        posts = rng.sample(range(1, self.posts + 1), min(self.posts, number // len(self.writers)))
        return [(person, post) for post in posts for person in self.writers]

    @cached_property
    def posts(self) -> int:
        return _one("SELECT max(id) AS found FROM posts WHERE likes_count + views_count > 0")

    @cached_property
    def author(self) -> int:
        """Who wrote most."""
        return _one(
            """
            SELECT user_id AS found
            FROM posts
            WHERE deleted_at IS NULL
            GROUP BY user_id
            ORDER BY count(*) DESC
            """
        )

    @cached_property
    def followed(self) -> int:
        """Who has most followers."""
        return _one("SELECT id AS found FROM users ORDER BY followers_count DESC, id")

    @cached_property
    def talk(self) -> int:
        """The post with the most replies."""
        return _one("SELECT id AS found FROM posts ORDER BY replies_count DESC, id")

    @cached_property
    def middle(self) -> list[int]:
        """Posts from all over."""
        return random.Random(2).sample(range(1, self.posts + 1), 50)

    @cached_property
    def rare_word(self) -> str:
        """The least frequent of the demo's rare words that is there."""
        from demo.words import RARE

        return _one(
            """
            SELECT word AS found
            FROM unnest(%s::text[]) AS word
            CROSS JOIN LATERAL (
                SELECT count(*) AS n FROM posts
                WHERE text ILIKE '%%' || word || '%%' AND reply_to_id IS NULL
            ) c
            WHERE n > 0
            ORDER BY n, word
            """,
            list(RARE),
        )

    @cached_property
    def tenth_page(self) -> str:
        """Reached as a client reaches it, by the links."""
        path = "/api/posts?limit=10"
        for _ in range(9):
            headers, _ = get(f"{self.url}{path}", self.readers[0].token)
            path = headers["Link"].partition(">")[0].removeprefix("<")
        return path

    @cached_property
    def tenth_after_id(self) -> int:
        """Where that page begins."""
        row = _rows(
            "SELECT id FROM posts WHERE reply_to_id IS NULL ORDER BY id DESC OFFSET 89 LIMIT 1"
        )
        return row[0]["id"]

    @cached_property
    def product(self) -> int:
        from repositories import product_repository

        dto = {"name": "Gopher", "price": Decimal("19.99"), "in_stock": True}
        return product_repository.create_product(dto)["id"]

    @cached_property
    def order(self) -> str:
        """An order of the first reader."""
        from services import order_service

        wanted = [{"product_id": self.product, "quantity": 2}]
        return order_service.create(self.readers[0].id, wanted)["id"]

    @cached_property
    def app_token(self) -> str:
        from services import token_service

        return token_service.issue(60 * 24)

    def forget_writers(self) -> None:
        """The writers' posts, likes, views and orders go, with all that counted them."""
        from repositories.sql import transaction

        ids = [person.id for person in self.writers]
        with transaction() as conn:
            for statement in (
                "SELECT set_config('statement_timeout', '0', true)",
                """
                UPDATE posts SET views_count = views_count - n
                FROM (SELECT post_id, count(*) AS n FROM views WHERE user_id = ANY (%(ids)s)
                      GROUP BY post_id) v
                WHERE id = v.post_id
                """,
                "DELETE FROM views WHERE user_id = ANY (%(ids)s)",
                "DELETE FROM likes WHERE user_id = ANY (%(ids)s)",
                "DELETE FROM notifications WHERE actor_id = ANY (%(ids)s)",
                # First what the relay would look for in vain.
                "DELETE FROM outbox",
                "DELETE FROM orders WHERE user_id = ANY (%(ids)s)",
                # Soft, as the API does it: to remove a row is to look for it in all likes.
                """
                UPDATE posts SET deleted_at = now()
                WHERE user_id = ANY (%(ids)s) AND id > %(last)s AND deleted_at IS NULL
                """,
            ):
                conn.execute(statement, {"ids": ids, "last": self.posts})


def search_path(word: str) -> str:
    return f"/api/posts?limit=10&search={quote(word)}"


def _writers() -> list[int]:
    from repositories import user_repository
    from utils.errors import Conflict, NotFound

    found = []
    for number in range(READERS):
        name = f"bench_{number}"
        names = {"user_name": name, "first_name": "Bench", "last_name": "Writer"}
        with suppress(Conflict):
            user_repository.create_user({**names, "password_hash": "nobody logs in"})
        try:
            found.append(user_repository.get_user_by_username(name)["id"])
        except NotFound:
            raise SystemExit(f"cannot make the user {name}") from None
    return found


def _rows(query: str, *params: object) -> list[dict]:
    from repositories.sql import transaction

    with transaction() as conn:
        conn.execute("SELECT set_config('statement_timeout', '0', true)")
        return conn.execute(query, params).fetchall()


def _one(query: str, *params: object):
    return _rows(f"{query} LIMIT 1", *params)[0]["found"]
