"""Clients that use the API without pause, and write down what they were answered and when."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread
from time import monotonic
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
from cluster import Database

PASSWORD = "gopher1!"
NO_ANSWER = 0
# Longer than any fault here lasts: how long is too long is for the tests to say.
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.05
NEW_PRODUCT = "INSERT INTO products (name, price) VALUES ('Mug', 10.10) RETURNING id"
# How many of these are there.
POSTS = "SELECT count(*) AS n FROM posts WHERE id = ANY(%s)"
LIKES = "SELECT count(*) AS n FROM likes WHERE post_id = ANY(%s)"
ORDERS = """
    SELECT count(*) AS n FROM idempotency_keys k JOIN orders o ON o.id = k.order_id
    WHERE (k.key || o.id) = ANY(%s)
"""


class Answer(NamedTuple):
    """`status` is NO_ANSWER when the connection broke or nothing came in time."""

    what: str
    status: int
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


class Client:
    """One member and what was acknowledged to them."""

    def __init__(self, url: str, product_id: int = 0) -> None:
        self.product_id = product_id
        self.answers: list[Answer] = []
        self.posts: list[int] = []
        self.likes: list[int] = []
        self.orders: dict[str, str] = {}
        self.unanswered: list[str] = []
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_SECONDS)

    def register(self) -> bool:
        names = {"user_name": f"gopher_{uuid4().hex[:12]}", "first_name": "A", "last_name": "P"}
        body = {**names, "password": PASSWORD, "password_confirm": PASSWORD}
        made = self.ask("register", "POST", "/api/auth/register", json=body)
        if made:
            self._http.headers["Authorization"] = f"Bearer {made.json()['access_token']}"
        return made is not None

    def ask(self, what: str, method: str, path: str, **options: Any) -> httpx.Response | None:
        """The answer if it is a good one."""
        began, answer = monotonic(), None
        with suppress(httpx.TransportError):
            answer = self._http.request(method, path, **options)
        status = NO_ANSWER if answer is None else answer.status_code
        self.answers.append(Answer(what, status, began, monotonic()))
        return answer if self.answers[-1].good else None

    def read(self) -> None:
        self.ask("feed", "GET", "/api/posts")

    def write(self) -> None:
        if made := self.ask("post", "POST", "/api/posts", json={"text": f"It is {uuid4()}"}):
            self.posts.append(made.json()["id"])
            if self.ask("like", "POST", f"/api/posts/{self.posts[-1]}/like"):
                self.likes.append(self.posts[-1])

    def order(self, key: str | None = None) -> None:
        """A new order, or the one of a key again."""
        key = key or f"key-{uuid4()}"
        items = [{"product_id": self.product_id, "quantity": 2}]
        headers = {"Idempotency-Key": key}
        made = self.ask("order", "POST", "/api/orders", json={"items": items}, headers=headers)
        if made:
            self.orders[key] = made.json()["id"]
        else:
            self.unanswered.append(key)

    def look_after(self) -> None:
        self.ask("health-check", "GET", "/api/health-check")
        self.ask("ping", "GET", "/api/ping")

    def order_again(self) -> None:
        """What any client does after no answer: send the same again, with the same key."""
        again, self.unanswered = self.unanswered, []
        for key in again:
            self.order(key)

    def get(self, path: str) -> httpx.Response:
        """The answer, whatever it is."""
        return self._http.get(path)

    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]

    def close(self) -> None:
        self._http.close()


class Load:
    """`people` clients at once, from the start of the block to its end."""

    def __init__(self, url: str, database: Database, people: int = 8) -> None:
        self.database = database
        product_id = database.fetch(NEW_PRODUCT)[0]["id"]
        self.clients = [Client(url, product_id) for _ in range(people)]
        assert all(client.register() for client in self.clients)
        self._stop = Event()
        self._threads = [Thread(target=self._live, args=(each,)) for each in self.clients]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def answers(self, since: float = 0.0) -> list[Answer]:
        """Those that ended after this moment, as they came in."""
        answers = [each for client in self.clients for each in client.answers]
        return sorted((each for each in answers if each.ended >= since), key=lambda a: a.ended)

    def settle(self) -> None:
        """Whoever had no answer to an order sends it again, with its key, and gets one."""
        for client in self.clients:
            client.order_again()
            assert not client.unanswered

    def losses(self) -> int:
        """How much of what was acknowledged is not there, or not as acknowledged."""
        posts = [post for client in self.clients for post in client.posts]
        likes = [post for client in self.clients for post in client.likes]
        orders = [key + id for client in self.clients for key, id in client.orders.items()]
        acknowledged = {POSTS: posts, LIKES: likes, ORDERS: orders}
        return sum(
            len(values) - self.database.fetch(query, (values,))[0]["n"]
            for query, values in acknowledged.items()
        )

    def _live(self, client: Client) -> None:
        while not self._stop.is_set():
            for act in (client.read, client.write, client.order, client.look_after):
                act()
                self._stop.wait(PAUSE_SECONDS)


def tally(answers: Sequence[Answer]) -> str:
    """`"812 good, 40 x 503"`"""
    counts = Counter("good" if each.good else each.status for each in answers)
    good = counts.pop("good", 0)
    words = {status: "no answer" if status == NO_ANSWER else status for status in counts}
    return ", ".join([f"{good} good", *(f"{n} x {words[s]}" for s, n in sorted(counts.items()))])


def back_after(answers: list[Answer], back: float) -> float:
    """How long after that moment the last kind of request had its first good answer."""
    first: dict[str, float] = {}
    for answer in answers:
        if answer.good and answer.ended >= back:
            first.setdefault(answer.what, answer.ended - back)
    missing = {answer.what for answer in answers} - first.keys()
    assert not missing, f"never good again: {missing}"
    return max(first.values())
