"""The races of `routes/test_races.py` and others, where no lock of one process can help: two
workers, one database, real connections."""

from collections import Counter
from time import sleep

import pytest
from shop import count, headers_of, new_product, new_user

from repositories import token_repository
from repositories.sql import execute, transaction
from services import token_service

pytestmark = pytest.mark.slow


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def write(web):
    def write(member, reply_to_id=None):
        body = {"text": "Hello", "reply_to_id": reply_to_id}
        return web.post("/api/posts", json=body, headers=member.headers).json()["id"]

    return write


def test_of_fifty_registrations_of_one_name_and_address_one_wins(web, at_once):
    body = {
        **{"user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"},
        **{"password": "gopher1!", "password_confirm": "gopher1!", "email": "anna@example.org"},
    }
    answers = at_once(lambda path: web.post(path, json=body), ["/api/auth/register"] * 50)

    assert statuses(answers) == {201: 1, 409: 49}
    assert (count("users"), count("sessions")) == (1, 1)


@pytest.mark.parametrize(("mark", "counter"), [("like", "likes_count"), ("view", "views_count")])
def test_fifty_marks_by_one_member_count_one(web, anna, write, at_once, mark, counter):
    path = f"/api/posts/{write(anna)}"
    answers = at_once(lambda _: web.post(f"{path}/{mark}", headers=anna.headers), range(50))

    assert statuses(answers) == {201: 1, 409: 49}
    assert web.get(path, headers=anna.headers).json()[counter] == 1


def test_sixty_four_members_like_one_post(web, anna, write, at_once):
    path = f"/api/posts/{write(anna)}"
    members = [headers_of(new_user(f"gopher_{number}")) for number in range(64)]
    answers = at_once(lambda who: web.post(f"{path}/like", headers=who), members)

    assert statuses(answers) == {201: 64}
    assert web.get(path, headers=anna.headers).json()["likes_count"] == 64


def test_replies_and_the_end_of_their_parent(web, anna, boris, write, at_once):
    """Whoever came in time is counted, whoever came too late is told."""
    post = write(anna)
    body = {"text": "Yes", "reply_to_id": post}

    def act(number):
        if number == 20:
            return web.delete(f"/api/posts/{post}", headers=anna.headers)
        return web.post("/api/posts", json=body, headers=boris.headers)

    answers = statuses(at_once(act, range(40)))

    assert (answers[204], answers[201] + answers[404]) == (1, 39)
    assert count("posts", f"reply_to_id = {post}") == answers[201]
    assert count("posts", f"id = {post} AND replies_count = {answers[201]}") == 1


class TestTwentyRefreshesOfOneToken:
    @pytest.fixture
    def refresh(self, web):
        return lambda token: web.post("/api/auth/refresh", json={"refresh_token": token})

    @pytest.fixture
    def pairs(self, anna, refresh, at_once):
        answers = at_once(refresh, [anna.refresh_token] * 20)
        assert statuses(answers) == {200: 20}
        return [answer.json() for answer in answers]

    def test_all_work_and_the_session_goes_on(self, web, pairs, refresh):
        assert len({pair["refresh_token"] for pair in pairs}) == 20
        for pair in pairs:
            answer = web.get("/api/users/me", headers=bearer(pair["access_token"]))
            assert answer.status_code == 200
            assert refresh(pair["refresh_token"]).status_code == 200
        assert count("sessions") == 1

    def test_a_later_reuse_ends_the_session_for_all_of_them(self, web, anna, pairs, refresh):
        execute("UPDATE refresh_tokens SET spent_at = spent_at - interval '11 seconds'")

        assert refresh(anna.refresh_token).status_code == 401
        sleep(1)  # so long may the other worker go on
        for pair in pairs:
            answer = web.get("/api/users/me", headers=bearer(pair["access_token"]))
            assert answer.status_code == 401
            assert refresh(pair["refresh_token"]).status_code == 401


def test_of_twenty_uses_of_one_reset_code_one_succeeds(web, anna, at_once):
    code = token_service.new_token()
    with transaction() as conn:
        token_repository.set_user_token(anna.id, "password_reset", code, 60, conn)

    def reset(number):
        password = f"gopher{number}!"
        body = {"token": code, "password": password, "password_confirm": password}
        return web.post("/api/auth/password/reset", json=body)

    answers = at_once(reset, range(20))

    assert statuses(answers) == {204: 1, 401: 19}
    [winner] = [number for number, answer in enumerate(answers) if answer.status_code == 204]
    login = {"user_name": anna.user_name, "password": f"gopher{winner}!"}
    assert web.post("/api/auth/login", json=login).status_code == 200


def test_twenty_orders_with_one_idempotency_key_are_one(web, anna, at_once):
    body = {"items": [{"product_id": new_product(), "quantity": 2}]}
    headers = {**anna.headers, "Idempotency-Key": "once"}
    answers = at_once(lambda _: web.post("/api/orders", json=body, headers=headers), range(20))

    assert statuses(answers) == {201: 20}
    assert len({answer.content for answer in answers}) == 1
    assert (count("orders"), count("outbox")) == (1, 1)


def test_an_order_is_paid_or_canceled_and_never_both(web, anna, person, at_once):
    root = person("gopher_root", is_superuser=True)
    body = {"items": [{"product_id": new_product(), "quantity": 1}]}
    order = web.post("/api/orders", json=body, headers=anna.headers).json()["id"]

    def change(number):
        status, who = [("PAID", root), ("CANCELED", anna)][number % 2]
        path = f"/api/orders/{order}"
        return web.patch(path, json={"status": status}, headers=who.headers)

    answers = at_once(change, range(20))

    won = [answer.json()["status"] for answer in answers if answer.status_code == 200]
    assert statuses(answers) == {200: len(won), 409: 20 - len(won)}
    # From PAID one may still go on to CANCELED; nothing comes twice.
    assert sorted(won) in (["CANCELED"], ["CANCELED", "PAID"])


def test_who_is_logged_out_is_out_on_both_workers_within_a_second(web, anna):
    def asks():
        return {web.get("/api/users/me", headers=anna.headers).status_code for _ in range(10)}

    assert asks() == {200}
    assert web.post("/api/auth/logout", headers=anna.headers).status_code == 204
    sleep(1)
    assert asks() == {401}
