"""Notifications over HTTP: who is told what, and up to where they have read it."""

import pytest

from repositories.sql import execute


@pytest.fixture
def anna(person):
    return person("gopher_anna")


@pytest.fixture
def boris(person):
    return person("gopher_boris", first_name="Boris")


@pytest.fixture
def clara(person):
    return person("gopher_clara")


@pytest.fixture
def told(client):
    """What a member is told, as (kind, whose doing, which post), the newest first."""

    def told(member):
        rows = client.get("/api/notifications", headers=member.headers).json()
        return [(each["kind"], each["user"]["user_name"], each["post_id"]) for each in rows]

    return told


@pytest.fixture
def unread(client):
    """What the server counts, after a look at what the list says."""

    def unread(member):
        count = client.get("/api/notifications/unread", headers=member.headers).json()["count"]
        rows = client.get("/api/notifications?limit=100", headers=member.headers).json()
        assert count == sum(not each["read"] for each in rows)
        return count

    return unread


@pytest.fixture
def read(client):
    def read(member, up_to_id):
        body = {"up_to_id": up_to_id}
        answer = client.post("/api/notifications/read", json=body, headers=member.headers)
        assert answer.status_code == 204

    return read


@pytest.fixture
def like(client):
    def like(member, post_id, method="POST"):
        assert client.request(
            method, f"/api/posts/{post_id}/like", headers=member.headers
        ).is_success

    return like


@pytest.fixture
def edit(client):
    def edit(member, post_id, text):
        answer = client.patch(f"/api/posts/{post_id}", json={"text": text}, headers=member.headers)
        assert answer.status_code == 200
        return answer.json()

    return edit


@pytest.fixture
def relate(client):
    """`relate(boris, "follow", anna)`; with `end=True` it ends."""

    def relate(one, what, other, end=False):
        path = f"/api/users/{other.id}/{what}"
        answer = client.request("DELETE" if end else "POST", path, headers=one.headers)
        assert answer.is_success, answer.text

    return relate


class TestWhatIsTold:
    def test_each_kind_with_who_did_it_and_the_post(self, client, anna, boris, write, like, relate):
        mine, other = write(anna), write(anna, "Another")
        relate(boris, "follow", anna)
        answer = write(boris, "Yes", mine)
        like(boris, mine)
        mention = write(boris, "Look, @gopher_anna!")

        rows = client.get("/api/notifications", headers=anna.headers).json()

        who = {"id": boris.id, "user_name": "gopher_boris"}
        names = {"first_name": "Boris", "last_name": "Petrova"}
        assert [(each["kind"], each["post_id"], each["read"], each["user"]) for each in rows] == [
            ("mention", mention, False, who | names),
            ("like", mine, False, who | names),
            ("answer", answer, False, who | names),
            ("follow", None, False, who | names),
        ]
        assert [each["id"] for each in rows] == sorted((each["id"] for each in rows), reverse=True)
        assert client.get("/api/notifications", headers=boris.headers).json() == []
        assert other

    def test_nothing_of_what_i_do_myself(self, anna, write, like, told):
        mine = write(anna, "I am @gopher_anna")
        write(anna, "And still @gopher_anna", mine)
        like(anna, mine)

        assert told(anna) == []

    def test_who_is_answered_is_not_told_of_the_mention_too(
        self, anna, boris, clara, write, told, edit
    ):
        mine = write(anna)
        answer = write(boris, "@gopher_anna, yes. And @gopher_clara?", mine)
        plain = write(boris, "Yes", mine)
        edit(boris, plain, "Yes, @gopher_anna")

        assert told(anna) == [("answer", "gopher_boris", plain), ("answer", "gopher_boris", answer)]
        assert told(clara) == [("mention", "gopher_boris", answer)]

    def test_the_first_ten_names_are_told_and_each_once(self, person, anna, write, told):
        people = [person(f"gopher_{number}") for number in range(11)]
        names = " ".join(f"@{each.user_name}" for each in [*people[:5], *people])
        post = write(anna, names)

        assert [told(each) for each in people[:10]] == [[("mention", "gopher_anna", post)]] * 10
        assert told(people[10]) == []

    def test_names_count_in_their_own_case_and_unknown_ones_tell_nobody(
        self, anna, boris, write, told
    ):
        write(anna, "@Gopher_boris @nobody_here gopher_boris x@gopher_boris @gopher_boris.example")

        assert told(boris) == []


class TestTakenBack:
    def test_a_like_given_again_is_the_same_notification(
        self, client, anna, boris, write, like, told, unread, read
    ):
        mine = write(anna)
        like(boris, mine)
        (first,) = client.get("/api/notifications", headers=anna.headers).json()
        read(anna, first["id"])

        like(boris, mine, "DELETE")
        assert told(anna) == []
        like(boris, mine)

        (again,) = client.get("/api/notifications", headers=anna.headers).json()
        assert again == first | {"read": True}
        assert unread(anna) == 0

    def test_one_that_is_taken_back_unread_is_not_counted(self, anna, boris, write, like, unread):
        mine = write(anna)
        like(boris, mine)
        assert unread(anna) == 1
        like(boris, mine, "DELETE")
        assert unread(anna) == 0

    def test_a_follow_that_ends_and_begins_again(self, anna, boris, told, relate):
        relate(boris, "follow", anna)
        relate(boris, "follow", anna, end=True)
        assert told(anna) == []
        relate(boris, "follow", anna)

        assert told(anna) == [("follow", "gopher_boris", None)]

    def test_a_mention_that_is_edited_away_and_in_again(
        self, anna, boris, clara, write, edit, told
    ):
        post = write(anna, "@gopher_boris @gopher_clara")
        edit(anna, post, "@gopher_clara")
        assert (told(boris), told(clara)) == ([], [("mention", "gopher_anna", post)])
        edit(anna, post, "@gopher_clara, and @gopher_boris again")

        assert told(boris) == told(clara) == [("mention", "gopher_anna", post)]

    def test_a_mention_that_is_edited_in_is_told(self, anna, boris, write, edit, told):
        post = write(anna, "Hello")
        edit(anna, post, "Hello @gopher_boris")

        assert told(boris) == [("mention", "gopher_anna", post)]

    def test_a_mention_that_stays_is_not_told_again(self, anna, boris, write, edit, unread, read):
        post = write(anna, "Hello @gopher_boris")
        read(boris, 2**53 - 1)
        edit(anna, post, "Hello, dear @gopher_boris!")

        assert unread(boris) == 0


class TestHidden:
    @pytest.mark.parametrize("what", ["mute", "block"])
    def test_what_was_hidden_comes_back(
        self, anna, boris, clara, write, told, unread, relate, what
    ):
        mine = write(anna)
        first, second = write(boris, "Yes", mine), write(clara, "Yes", mine)
        relate(anna, what, boris)

        assert told(anna) == [("answer", "gopher_clara", second)]
        assert unread(anna) == 1
        relate(anna, what, boris, end=True)
        assert told(anna) == [
            ("answer", "gopher_clara", second),
            ("answer", "gopher_boris", first),
        ]
        assert unread(anna) == 2

    def test_a_block_hides_both_ways_and_a_mute_one(self, anna, boris, write, told, relate):
        write(anna, "@gopher_boris")
        write(boris, "@gopher_anna")
        relate(anna, "mute", boris)
        assert (len(told(anna)), len(told(boris))) == (0, 1)
        relate(anna, "block", boris)
        assert (len(told(anna)), len(told(boris))) == (0, 0)

    @pytest.mark.parametrize("blocker_is_author", [True, False])
    def test_a_mention_during_a_block_is_never_told(
        self, anna, boris, clara, write, edit, told, blocker_is_author, relate
    ):
        one, other = (anna, boris) if blocker_is_author else (boris, anna)
        relate(one, "block", other)
        post = write(anna, "@gopher_boris and @gopher_clara")
        edited = write(anna, "Hello")
        edit(anna, edited, "Hello @gopher_boris")
        relate(one, "block", other, end=True)
        edit(anna, post, "Dear @gopher_boris and @gopher_clara")

        assert told(boris) == []
        assert told(clara) == [("mention", "gopher_anna", post)]

    def test_a_mention_during_a_mute_is_told_when_it_ends(self, anna, boris, write, told, relate):
        relate(anna, "mute", boris)
        post = write(boris, "@gopher_anna")
        relate(anna, "mute", boris, end=True)

        assert told(anna) == [("mention", "gopher_boris", post)]

    def test_what_a_deactivated_person_did_is_shown(self, anna, boris, write, told):
        post = write(boris, "@gopher_anna")
        execute("UPDATE users SET status = 0 WHERE id = %s", (boris.id,))

        assert told(anna) == [("mention", "gopher_boris", post)]


class TestGone:
    def test_with_the_post(self, client, anna, boris, clara, write, like, told, unread):
        mine = write(anna)
        answer = write(boris, "Yes, @gopher_clara", mine)
        kept = write(boris, "@gopher_anna @gopher_clara")
        like(boris, mine)
        client.delete(f"/api/posts/{answer}", headers=boris.headers)

        assert told(clara) == [("mention", "gopher_boris", kept)]
        assert told(anna) == [("like", "gopher_boris", mine), ("mention", "gopher_boris", kept)]
        client.delete(f"/api/posts/{mine}", headers=anna.headers)
        assert told(anna) == [("mention", "gopher_boris", kept)]
        assert unread(anna) == 1

    def test_an_answer_stays_when_what_it_answers_is_deleted(
        self, client, anna, boris, write, told
    ):
        mine = write(anna)
        answer = write(boris, "Yes", mine)
        client.delete(f"/api/posts/{mine}", headers=anna.headers)

        assert told(anna) == [("answer", "gopher_boris", answer)]

    def test_with_the_account(self, client, anna, boris, clara, write, like, told):
        mine, hers = write(anna), write(clara, "@gopher_anna")
        write(boris, "Yes", mine)
        like(boris, hers)
        client.delete(f"/api/users/{boris.id}", headers=boris.headers)

        assert told(anna) == [("mention", "gopher_clara", hers)]
        assert told(clara) == []


class TestReading:
    def test_up_to_one_and_never_back(self, client, anna, boris, write, unread, read):
        for _ in range(3):
            write(boris, "@gopher_anna")
        newest, middle, oldest = (
            each["id"] for each in client.get("/api/notifications", headers=anna.headers).json()
        )
        read(anna, middle)
        assert unread(anna) == 1
        read(anna, oldest)
        read(anna, 0)
        assert unread(anna) == 1
        read(anna, newest)
        assert unread(anna) == 0

    def test_up_to_what_does_not_exist_yet_marks_only_what_does(
        self, anna, boris, write, unread, read
    ):
        read(anna, 2**53 - 1)
        write(boris, "@gopher_anna")
        read(anna, 2**53 - 1)
        write(boris, "@gopher_anna again")

        assert unread(anna) == 1

    def test_is_each_readers_own(self, anna, boris, clara, write, unread, read):
        write(clara, "@gopher_anna @gopher_boris")
        read(anna, 2**53 - 1)

        assert (unread(anna), unread(boris)) == (0, 1)

    def test_in_pages(self, anna, boris, write, follow):
        posts = [write(boris, "@gopher_anna") for _ in range(5)]

        pages = follow(anna, "/api/notifications?limit=2")

        assert [[each["post_id"] for each in page] for page in pages] == [
            [posts[4], posts[3]],
            [posts[2], posts[1]],
            [posts[0]],
        ]


class TestRefusals:
    @pytest.mark.parametrize(
        ("method", "path"), [("GET", ""), ("GET", "/unread"), ("POST", "/read")]
    )
    def test_a_guest_has_to_log_in(self, client, refused, method, path):
        answer = client.request(method, f"/api/notifications{path}", json={"up_to_id": 1})
        refused(answer, 401, "Not authenticated")

    @pytest.mark.parametrize(
        "body", [{}, {"up_to_id": -1}, {"up_to_id": "1"}, {"up_to_id": True}, {"up_to_id": 2**53}]
    )
    def test_an_id_is_needed(self, client, anna, body):
        answer = client.post("/api/notifications/read", json=body, headers=anna.headers)
        assert answer.status_code == 422
