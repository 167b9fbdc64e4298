"""What is made once for each key: in one transaction, or not at all."""

from threading import Event

import pytest

from repositories import post_repository
from repositories.sql import execute, fetch_all
from services import idempotency_service
from utils import context
from utils.errors import Conflict, Unprocessable

LIKE = {"amount": "1.00"}


@pytest.fixture
def send(anna, boris):
    """Sends a request with a key: `send(make, "once", {...})`."""

    def send(make, key="once", request=LIKE, path="/api/posts", sender=anna):
        context.idempotency_key.set(context.IdempotencyKey(sender.id, path, key))
        return idempotency_service.once(request, make)

    return send


@pytest.fixture
def write(anna):
    def write(*conn):
        dto = {"text": "Hello", "user_id": anna.id, "reply_to_id": None}
        return post_repository.create_post(dto, *conn)

    return write


def texts():
    return [row["text"] for row in fetch_all("SELECT text FROM posts ORDER BY id")]


def test_without_a_key_no_connection_is_given_and_nothing_is_stored(db):
    assert idempotency_service.once(LIKE, lambda *conn: conn) == ()
    assert fetch_all("SELECT key FROM idempotency_keys") == []


def test_the_first_answer_comes_again_with_times_as_text(send, write):
    first, again = send(write), send(write)

    assert again == {**first, "created_at": again["created_at"]}
    assert texts() == ["Hello"]


@pytest.mark.parametrize(
    "other", [{"request": {"amount": "2.00"}}, {"path": "/api/posts/1/like"}, {"request": None}]
)
def test_another_request_is_refused(send, write, other):
    send(write)
    with pytest.raises(Unprocessable, match="was used for another request"):
        send(write, **other)

    assert texts() == ["Hello"]


def test_another_key_or_another_sender_makes_another(send, write, boris):
    made = [send(write), send(write, "twice"), send(write, sender=boris)]

    assert len({post["id"] for post in made}) == 3


def test_what_fails_stores_nothing_and_may_be_tried_again(send, write):
    def fail(conn):
        write(conn)
        raise Conflict("No")

    with pytest.raises(Conflict):
        send(fail)
    assert (texts(), fetch_all("SELECT key FROM idempotency_keys")) == ([], [])

    send(write)
    assert texts() == ["Hello"]


def test_a_key_is_good_for_a_day_and_then_for_another_request(send, write):
    first = send(write)
    execute("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")
    second = send(write, request=None, path="/api/others")

    assert first["id"] != second["id"]
    assert send(write, request=None, path="/api/others")["id"] == second["id"]


def test_who_comes_while_the_first_runs_waits_for_its_answer(send, write, at_once):
    running = Event()

    def act(number):
        if number == 0:
            return send(lambda conn: running.set() or write(conn))
        assert running.wait(10)
        return send(write)

    answers = at_once(act, range(8))

    assert len({answer["id"] for answer in answers}) == 1
    assert texts() == ["Hello"]
