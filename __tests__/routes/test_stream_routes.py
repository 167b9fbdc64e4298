"""The live stream over HTTP, from a server in this process."""

import logging
from threading import Thread

import httpx
import pytest
from event_source import EventSource
from shop import eventually
from uvicorn import Config, Server

from app import app
from background.stream_reader import run_stream_reader
from repositories.sql import execute
from server.http_protocol import BoundedHttp
from services import open_streams
from utils.background_thread import in_background


@pytest.fixture
def url(db):
    """Of a server with its own reader of events."""
    config = Config(app, port=0, http=BoundedHttp, lifespan="off", log_config=None)
    server = Server(config)
    thread = Thread(target=server.run)
    thread.start()
    assert eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    with in_background(run_stream_reader):
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def call(url):
    def call(member, method, path, **request):
        answer = httpx.request(method, f"{url}{path}", headers=member.headers, **request)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    return call


@pytest.fixture
def follow(url):
    """Opens a stream of a member."""
    opened = []

    def follow(member=None, **options):
        headers = {"headers": member.headers} if member else {}
        opened.append(EventSource(url, **headers, **options))
        return opened[-1]

    yield follow
    for each in opened:
        each.close()


@pytest.fixture
def ticket_of(call):
    def ticket_of(member):
        given = call(member, "POST", "/api/stream/ticket")
        assert given["expires_in"] == 60
        return given["ticket"]

    return ticket_of


@pytest.fixture
def anna(person):
    return person("gopher_anna")


@pytest.fixture
def boris(person, anna):
    """He follows Anna, who has read of it."""
    boris = person("gopher_boris")
    execute("INSERT INTO follows (follower_id, followed_id) VALUES (%s, %s)", (boris.id, anna.id))
    execute("DELETE FROM notifications")
    return boris


def write(call, member, text="Hello", **fields):
    return call(member, "POST", "/api/posts", json={"text": text, **fields})


def write_many(member, number):
    execute(
        """
        INSERT INTO posts (text, user_id)
        SELECT 'Post ' || n, %s FROM generate_series(1, %s) n
        """,
        (member.id, number),
    )


class TestWhatIsTold:
    def test_posts_of_oneself_and_of_those_one_follows(self, person, anna, boris, call, follow):
        clara = person("gopher_clara")
        of_anna, of_boris, of_clara = follow(anna), follow(boris), follow(clara)
        post = write(call, anna)
        for stream in (of_anna, of_boris):
            [event] = stream.wait_for("post")
            assert event.json() == post
        own = write(call, clara, "Mine")
        assert of_clara.wait_for("post")[0].json() == own
        assert of_boris.events == of_anna.events == []

    def test_an_edit_and_a_deletion(self, anna, boris, call, follow):
        post = write(call, anna)
        call(boris, "POST", f"/api/posts/{post['id']}/like")
        stream = follow(boris)
        call(anna, "PATCH", f"/api/posts/{post['id']}", json={"text": "Better"})
        [edited] = stream.wait_for("post_edited")
        assert edited.json() == call(boris, "GET", f"/api/posts/{post['id']}")
        assert edited.json()["user_liked"]
        call(anna, "DELETE", f"/api/posts/{post['id']}")
        assert stream.wait_for("post_deleted")[0].json() == {"id": post["id"]}

    def test_replies_are_not_in_it_but_who_is_answered_is_told(self, anna, boris, call, follow):
        post = write(call, anna)
        of_anna, of_boris = follow(anna), follow(boris)
        write(call, boris, "An answer", reply_to_id=post["id"])
        told, unread = of_anna.wait_for("notification", "unread")
        assert [told.json()] == call(anna, "GET", "/api/notifications")
        assert unread.json() == {"count": 1}
        call(anna, "POST", "/api/notifications/read", json={"up_to_id": told.json()["id"]})
        assert of_anna.wait_for("unread")[0].json() == {"count": 0}
        assert of_boris.events == []

    def test_a_like_that_is_taken_back_is_not_unread(self, anna, boris, call, follow):
        post = write(call, anna)
        stream = follow(anna)
        call(boris, "POST", f"/api/posts/{post['id']}/like")
        stream.wait_for("notification", "unread")
        call(boris, "DELETE", f"/api/posts/{post['id']}/like")
        assert stream.wait_for("unread")[0].json() == {"count": 0}

    def test_the_posts_of_an_account_that_leaves(self, anna, boris, call, follow):
        post = write(call, anna)
        stream = follow(boris)
        call(anna, "DELETE", f"/api/users/{anna.id}?posts=delete")
        assert stream.wait_for("post_deleted")[0].json() == {"id": post["id"]}

    @pytest.mark.parametrize("hiding", ["mute", "block"])
    def test_nothing_of_people_who_are_muted_or_blocked(
        self, person, anna, boris, call, follow, hiding
    ):
        execute(
            "INSERT INTO follows (follower_id, followed_id) VALUES (%s, %s)", (anna.id, boris.id)
        )
        stream = follow(boris)
        call(boris, "POST", f"/api/users/{anna.id}/{hiding}")
        write(call, anna, "Hello, @gopher_boris")
        own = write(call, boris, "The next one")
        assert stream.wait(lambda: stream.events and stream.events[-1].name == "post")
        told = [event for event in stream.events if event.name != "unread"]
        assert [event.json() for event in told] == [own]
        assert {event.data for event in stream.events if event.name == "unread"} <= {'{"count":0}'}

    def test_two_streams_of_one_member(self, anna, call, follow):
        streams = [follow(anna), follow(anna)]
        post = write(call, anna)
        assert [each.wait_for("post")[0].json()["id"] for each in streams] == [post["id"]] * 2


class TestResuming:
    def test_without_a_gap_or_a_repeat(self, anna, boris, call, follow):
        stream = follow(boris)
        first = write(call, anna, "First")
        stream.wait_for("post")
        stream.close()
        second, third = write(call, anna, "Second"), write(call, anna, "Third")
        again = follow(boris, last_id=stream.last_id)
        posts = [event.json()["id"] for event in again.wait_for("post", "post")]
        assert first["id"] not in posts
        assert posts == [second["id"], third["id"]]
        assert again.events == []

    def test_before_the_first_event_too(self, anna, boris, call, follow):
        stream = follow(boris)
        stream.close()
        post = write(call, anna)
        again = follow(boris, last_event_id=stream.last_id)
        assert again.wait_for("post")[0].json() == post

    def test_what_was_deleted_or_muted_meanwhile_is_left_out(
        self, person, anna, boris, call, follow
    ):
        clara = person("gopher_clara")
        call(boris, "POST", f"/api/users/{clara.id}/follow")
        stream = follow(boris)
        stream.close()
        gone = write(call, anna, "Gone")
        call(anna, "DELETE", f"/api/posts/{gone['id']}")
        write(call, clara, "Muted")
        call(boris, "POST", f"/api/users/{clara.id}/mute")
        kept = write(call, anna, "Kept")
        again = follow(boris, last_id=stream.last_id)
        deleted, post = again.wait_for("post_deleted", "post")
        assert deleted.json() == {"id": gone["id"]}
        assert post.json()["id"] == kept["id"]

    @pytest.mark.parametrize(
        "wrong", ["x", "1-2", "1-2-3-4", "0-0-1", "9" * 20 + "-0-4102444800", "-1-0-0", "ж"]
    )
    def test_where_it_cannot_it_says_reset_and_goes_on(self, anna, call, follow, wrong):
        stream = follow(anna, last_event_id=wrong)
        [reset] = stream.wait_for("reset")
        assert reset.json() == {}
        post = write(call, anna)
        assert stream.wait_for("post")[0].json() == post
        stream.close()
        assert follow(anna, last_id=reset.id).wait_for("post")[0].json() == post

    def test_what_is_older_than_an_hour_is_not_told(self, anna, call, follow):
        stream = follow(anna)
        stream.close()
        write(call, anna, "Old")
        execute("UPDATE stream_events SET created_at = created_at - interval '61 minutes'")
        again = follow(anna, last_id=stream.last_id)
        again.wait_for("reset")
        post = write(call, anna, "New")
        assert again.wait_for("post")[0].json() == post

    def test_many_events_come_page_by_page(self, anna, call, follow):
        stream = follow(anna)
        stream.close()
        write_many(anna, 350)
        again = follow(anna, last_id=stream.last_id)
        posts = [event.json()["id"] for event in again.wait_for(*["post"] * 350)]
        assert posts == sorted(set(posts))


class TestWhoMayOpenIt:
    def test_with_a_ticket_once(self, anna, call, follow, ticket_of, url, refused):
        ticket = ticket_of(anna)
        stream = follow(ticket=ticket)
        post = write(call, anna)
        assert stream.wait_for("post")[0].json() == post
        for used in (ticket, ticket[::-1], "x" * 5000, "\0", ""):
            answer = httpx.get(f"{url}/api/stream", params={"ticket": used})
            refused(answer, 401, "Invalid or expired token")

    def test_several_tickets_at_a_time(self, anna, boris, follow, ticket_of):
        tickets = [ticket_of(anna), ticket_of(anna), ticket_of(boris)]
        assert [follow(ticket=ticket).status for ticket in tickets] == [200] * 3

    def test_a_ticket_ends_with_its_time_and_with_its_session(self, anna, call, url, ticket_of):
        late, without_session = ticket_of(anna), ticket_of(anna)
        execute(
            "UPDATE tokens SET expires_at = now() WHERE token_hash = sha256(%s::bytea)",
            (late.encode(),),
        )
        call(anna, "POST", "/api/auth/logout")
        for ticket in (late, without_session):
            assert httpx.get(f"{url}/api/stream", params={"ticket": ticket}).status_code == 401

    def test_a_ticket_opens_nothing_else(self, anna, url, ticket_of):
        ticket = ticket_of(anna)
        answer = httpx.get(f"{url}/api/users/me", params={"ticket": ticket})
        assert answer.status_code == 401
        assert httpx.get(f"{url}/api/app/valid/{ticket}").json()["status"] is False
        headers = {"Authorization": f"Bearer {ticket}"}
        assert httpx.get(f"{url}/api/stream", headers=headers).status_code == 401

    def test_no_guest_and_nobody_who_may_not_read_posts(self, anna, url):
        assert httpx.get(f"{url}/api/stream").status_code == 401
        assert httpx.post(f"{url}/api/stream/ticket").status_code == 401
        execute(NOBODY_READS)
        for method, path in (("GET", "/api/stream"), ("POST", "/api/stream/ticket")):
            answer = httpx.request(method, f"{url}{path}", headers=anna.headers)
            assert answer.status_code == 403

    def test_at_most_five_at_once(self, anna, boris, follow, refused, url):
        streams = [follow(anna) for _ in range(5)]
        sixth = follow(anna)
        refused(sixth.answer, 429, "At most 5 streams at once")
        assert sixth.answer.headers["Retry-After"] == "10"
        assert sixth.answer.headers["X-Error-Code"] == "too_many_streams"
        assert follow(boris).status == 200
        streams[0].close()
        assert eventually(lambda: open_streams.count() == 5)
        assert eventually(lambda: follow(anna).status == 200)

    def test_a_ticket_is_in_no_log(self, anna, url, ticket_of, follow, caplog, monkeypatch):
        from config.pool import TimedCursor

        monkeypatch.setattr(TimedCursor, "slow_seconds", 0.0)
        caplog.set_level(logging.DEBUG)
        ticket = ticket_of(anna)
        follow(ticket=ticket).close()
        httpx.get(f"{url}/api/stream", params={"ticket": ticket})
        assert eventually(lambda: caplog.text.count("GET /api/stream took") == 2)
        assert "slow query" in caplog.text
        ours = [each for each in caplog.records if not each.name.startswith(("httpx", "httpcore"))]
        assert ticket not in "".join(f"{each.getMessage()}{each.__dict__}" for each in ours)

    def test_a_look_at_its_head_opens_nothing(self, anna, url):
        answer = httpx.head(f"{url}/api/stream", headers=anna.headers)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert eventually(lambda: open_streams.count() == 0)


NOBODY_READS = """
    DELETE FROM role_permissions
    WHERE permission_id IN (SELECT id FROM permissions WHERE resource = 'post' AND action = 'read')
"""


class TestItsEnd:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE sessions SET ended_at = now() WHERE user_id = %s",
            "UPDATE sessions SET expires_at = now() WHERE user_id = %s",
            "UPDATE users SET status = 0 WHERE id = %s",
            "UPDATE users SET deleted_at = now() WHERE id = %s",
            f"WITH gone AS ({NOBODY_READS}) SELECT %s::bigint",
        ],
    )
    def test_whoever_ends_the_session_or_the_right(self, anna, follow, statement):
        stream = follow(anna)
        execute(statement, (anna.id,))
        assert stream.wait_until_over() < 2  # a second, and a busy machine

    def test_others_go_on(self, anna, boris, call, follow):
        of_anna, of_boris = follow(anna), follow(boris)
        call(anna, "POST", "/api/auth/logout")
        of_anna.wait_until_over()
        post = write(call, boris)
        assert of_boris.wait_for("post")[0].json() == post

    def test_a_client_that_leaves_leaves_nothing_behind(self, anna, follow):
        for _ in range(3):
            follow(anna).close()
        assert eventually(lambda: open_streams.count() == 0)

    def test_a_stop_ends_it(self, anna, follow):
        stream = follow(anna)
        open_streams.end_all()
        stream.wait_until_over()
        late = follow(anna)
        late.wait_until_over()
        assert late.status == 200  # an EventSource comes back, to another server

    def test_a_reader_who_does_not_keep_up_is_cut_off(self, anna, follow, monkeypatch):
        monkeypatch.setattr(open_streams, "MAX_WAITING", 10)
        stream = follow(anna)
        write_many(anna, 11)
        stream.wait_until_over()
        rest = follow(anna, last_id=stream.last_id)
        came = len(stream.events)
        rest.wait_for(*["post"] * (11 - came))


def test_its_duration_is_how_soon_it_began(anna, follow, url, caplog, monkeypatch):
    """It may last for hours, which are no slow answer."""
    from config import metrics

    caplog.set_level(logging.INFO, "gophertalk.access")
    monkeypatch.setattr(open_streams, "MARK_SECONDS", 0.0)
    observed = []
    monkeypatch.setattr(metrics, "observe", lambda *args: observed.append(args))
    stream = follow(anna)
    assert stream.wait(lambda: stream.comments >= 3)
    stream.close()
    assert eventually(lambda: "GET /api/stream took" in caplog.text)
    [(route, method, status, seconds)] = observed
    assert (route, method, status) == ("/api/stream", "GET", 200)
    [line] = [each for each in caplog.records if each.getMessage().startswith("GET /api/stream")]
    assert seconds * 1000 < line.ms


def test_a_quiet_stream_is_kept_open(anna, follow, monkeypatch):
    monkeypatch.setattr(open_streams, "MARK_SECONDS", 0.1)
    stream = follow(anna)
    assert stream.wait(lambda: stream.comments >= 3)
    assert stream.events == []


def test_after_a_failover_that_lost_transactions_it_says_reset(anna, call, follow, monkeypatch):
    from repositories import stream_repository

    get_events, far_ahead = stream_repository.get_events, [(2**62, 0)]
    monkeypatch.setattr(
        stream_repository,
        "get_events",
        lambda after, limit: get_events(far_ahead.pop() if far_ahead else after, limit),
    )
    stream = follow(anna)
    [reset] = stream.wait_for("reset")
    post = write(call, anna)
    assert stream.wait_for("post")[0].json() == post
    stream.close()
    assert follow(anna, last_id=reset.id).wait_for("post")[0].json() == post


def test_the_open_ones_are_counted(anna, follow, url):
    streams = [follow(anna), follow(anna)]
    assert "gophertalk_streams 2.0" in httpx.get(f"{url}/metrics").text
    for stream in streams:
        stream.close()
    assert eventually(lambda: "gophertalk_streams 0.0" in httpx.get(f"{url}/metrics").text)


def test_nothing_is_asked_while_no_stream_is_open(anna, follow, monkeypatch):
    asked, rounds = [], []
    advance, wait = open_streams.advance, open_streams.wait_until_wanted
    monkeypatch.setattr(open_streams, "advance", lambda: asked.append(1) or advance())
    monkeypatch.setattr(
        open_streams, "wait_until_wanted", lambda seconds: rounds.append(1) or wait(seconds)
    )
    stream = follow(anna)
    assert eventually(lambda: asked)
    stream.close()
    assert eventually(lambda: open_streams.count() == 0)

    def rounds_pass():
        before = len(rounds)
        assert eventually(lambda: len(rounds) >= before + 2)

    rounds_pass()  # one may have begun before
    before = len(asked)
    rounds_pass()
    assert len(asked) == before
