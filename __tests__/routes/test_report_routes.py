"""What members report, and what moderators decide."""

from collections import Counter

import pytest
from shop import count

from repositories.sql import execute, fetch_all


@pytest.fixture
def moderator(person):
    return person("gopher_mod", ["moderator"])


@pytest.fixture
def report(client):
    """`report(anna, post_id=1)`; the answer."""

    def report(who, reason="spam", **fields):
        body = {"reason": reason, **fields}
        return client.post("/api/reports", json=body, headers=who.headers)

    return report


@pytest.fixture
def decide(client):
    def decide(who, report_id, status="resolved", **fields):
        body = {"status": status, **fields}
        return client.patch(f"/api/reports/{report_id}", json=body, headers=who.headers)

    return decide


@pytest.fixture
def queue(client):
    def queue(who, query=""):
        answer = client.get(f"/api/reports{query}", headers=who.headers)
        assert answer.status_code == 200
        return [each["id"] for each in answer.json()]

    return queue


def block(blocker, blocked):
    execute("INSERT INTO blocks (blocker_id, blocked_id) VALUES (%s, %s)", (blocker.id, blocked.id))


class TestReport:
    def test_a_post(self, report, anna, boris, write):
        post_id = write(boris)
        answer = report(anna, post_id=post_id, comment="  Again and again ")

        made = answer.json()
        assert answer.status_code == 201
        assert made == {
            "id": made["id"],
            "post_id": post_id,
            "user_id": None,
            "reason": "spam",
            "comment": "  Again and again ",
            "status": "open",
            "note": None,
            "created_at": made["created_at"],
            "decided_at": None,
            "decided_by": None,
            "user": {
                "id": anna.id,
                "user_name": "gopher_anna",
                "first_name": "Anna",
                "last_name": "Petrova",
            },
        }

    def test_a_person(self, report, anna, boris):
        made = report(anna, "abuse", user_id=boris.id, post_id=None).json()

        assert (made["user_id"], made["post_id"]) == (boris.id, None)
        assert (made["reason"], made["comment"]) == ("abuse", None)

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"post_id": 1, "user_id": 1},
            {"post_id": None, "user_id": None},
            {"user_id": 0},
            {"user_id": "1"},
            {"user_id": 2**53},
            {"user_id": 1, "reason": "boring"},
            {"user_id": 1, "comment": ""},
            {"user_id": 1, "comment": " \u200b "},
            {"user_id": 1, "comment": "x" * 1001},
            {"user_id": 1, "comment": "\0"},
            {"user_id": 1, "status": "resolved"},
            {"user_id": 1, "reporter_id": 1},
        ],
    )
    def test_refuses_what_is_no_report(self, report, anna, fields):
        assert report(anna, **fields).status_code == 422
        assert count("reports") == 0

    def test_oneself_is_a_conflict(self, report, anna, write, refused):
        refused(report(anna, user_id=anna.id), 409, "You cannot report yourself")
        refused(report(anna, post_id=write(anna)), 409, "You cannot report yourself")

    def test_the_same_thing_is_a_conflict_until_it_is_decided(
        self, report, decide, anna, boris, moderator, write, refused
    ):
        post_id, other = write(boris), write(boris)
        first = report(anna, post_id=post_id).json()
        refused(report(anna, "hate", post_id=post_id), 409, "You have reported this already")
        assert report(anna, post_id=other).status_code == 201
        assert report(anna, user_id=boris.id).status_code == 201
        assert report(moderator, post_id=post_id).status_code == 201

        decide(moderator, first["id"], "rejected")
        assert report(anna, post_id=post_id).status_code == 201

    def test_what_is_not_there(self, client, report, anna, boris, person, write, refused):
        refused(report(anna, post_id=999_999), 404, "Post not found")
        refused(report(anna, user_id=999_999), 404, "User not found")

        gone = write(boris)
        client.delete(f"/api/posts/{gone}", headers=boris.headers)
        refused(report(anna, post_id=gone), 404, "Post not found")
        client.delete(f"/api/users/{boris.id}", headers=boris.headers)
        refused(report(anna, user_id=boris.id), 404, "User not found")

    def test_a_post_that_outlives_its_author(self, client, report, anna, boris, write):
        post_id = write(boris)
        client.delete(f"/api/users/{boris.id}", headers=boris.headers)
        assert report(anna, post_id=post_id).status_code == 201

    def test_a_deactivated_person(self, report, anna, boris):
        execute("UPDATE users SET status = 0 WHERE id = %s", (boris.id,))
        assert report(anna, user_id=boris.id).status_code == 201

    @pytest.mark.parametrize("who", ["reporter", "reported"])
    def test_who_is_blocked_is_not_there_either(self, report, anna, boris, write, refused, who):
        post_id = write(boris)
        block(*((anna, boris) if who == "reporter" else (boris, anna)))

        refused(report(anna, post_id=post_id), 404, "Post not found")
        refused(report(anna, user_id=boris.id), 404, "User not found")
        execute("DELETE FROM blocks")
        assert report(anna, post_id=post_id).status_code == 201

    def test_needs_somebody(self, client):
        body = {"user_id": 1, "reason": "spam"}
        assert client.post("/api/reports", json=body).status_code == 401

    def test_ten_at_once_make_one(self, report, anna, boris, at_once):
        answers = at_once(lambda _: report(anna, user_id=boris.id), range(10))

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}
        assert count("reports") == 1


class TestQueue:
    def test_has_the_open_ones_the_oldest_first(
        self, client, report, decide, queue, anna, boris, moderator, write
    ):
        ids = [report(anna, post_id=write(boris)).json()["id"] for _ in range(4)]
        ids.append(report(boris, user_id=anna.id).json()["id"])
        decide(moderator, ids[1], "resolved")
        decide(moderator, ids[3], "rejected")

        assert queue(moderator) == queue(moderator, "?status=open") == [ids[0], ids[2], ids[4]]
        assert queue(moderator, "?status=resolved") == [ids[1]]
        assert queue(moderator, "?status=rejected") == [ids[3]]
        reporters = client.get("/api/reports", headers=moderator.headers).json()
        assert [each["user"]["id"] for each in reporters] == [anna.id, anna.id, boris.id]

    def test_pages_have_no_gaps_while_reports_arrive(
        self, client, report, anna, boris, moderator, write
    ):
        old = [report(anna, post_id=write(boris)).json()["id"] for _ in range(5)]

        seen, path = [], "/api/reports?limit=2"
        while path:
            page = client.get(path, headers=moderator.headers)
            seen += [each["id"] for each in page.json()]
            path = page.links.get("next", {}).get("url")
            if len(seen) < 5:
                report(anna, post_id=write(boris))
        assert seen[:5] == old
        assert len(seen) == len(set(seen)) == count("reports")

    def test_an_unknown_status(self, client, moderator):
        answer = client.get("/api/reports?status=lost", headers=moderator.headers)
        assert answer.status_code == 422

    def test_members_do_not_see_it(self, client, report, anna, boris, refused):
        report(anna, user_id=boris.id)
        answer = client.get("/api/reports", headers=anna.headers)
        refused(answer, 403, "This needs the permission report:read")


class TestDecide:
    @pytest.mark.parametrize("status", ["resolved", "rejected"])
    def test_is_on_record(self, client, report, decide, anna, boris, moderator, refused, status):
        made = report(anna, user_id=boris.id, comment="He insults me").json()
        other = report(boris, user_id=anna.id).json()
        answer = decide(moderator, made["id"], status, note="I wrote to him")

        after = answer.json()
        assert answer.status_code == 200
        assert after == {
            **made,
            "status": status,
            "note": "I wrote to him",
            "decided_at": after["decided_at"],
            "decided_by": moderator.id,
        }
        assert after["decided_at"] > made["created_at"]
        sentence = "This report has been decided already"
        refused(decide(moderator, made["id"], "rejected"), 409, sentence)
        [still] = client.get("/api/reports", headers=moderator.headers).json()
        assert still == other

    def test_the_audit_log_has_no_text(self, report, decide, anna, boris, moderator, write):
        post_id = write(boris)
        made = report(anna, post_id=post_id, comment="Secret comment").json()
        decide(moderator, made["id"], note="Secret note", delete_post=True)

        [entry] = fetch_all("SELECT actor_id, action, target, before, after FROM audit_log")
        about = {"post_id": post_id, "user_id": None}
        assert entry == {
            "actor_id": moderator.id,
            "action": "report.resolve",
            "target": f"report:{made['id']}",
            "before": {"status": "open", **about},
            "after": {"status": "resolved", **about, "delete_post": True},
        }

    def test_may_delete_the_post(self, client, report, decide, anna, boris, moderator, write):
        post_id, other = write(boris), write(boris)
        first = report(anna, post_id=post_id).json()["id"]
        second = report(moderator, post_id=post_id).json()["id"]

        assert decide(moderator, first, delete_post=True).status_code == 200
        assert client.get(f"/api/posts/{post_id}", headers=anna.headers).status_code == 404
        assert client.get(f"/api/posts/{other}", headers=anna.headers).status_code == 200
        # What is gone needs no deletion.
        assert decide(moderator, second, delete_post=True).status_code == 200

    def test_deletes_no_post_unless_all_of_it_is_done(
        self, client, report, decide, anna, boris, moderator, write, role, person, refused
    ):
        role("reader", "report:read", "report:resolve")
        reader = person("gopher_reader", ["reader"])
        post_id = write(boris)
        about_post = report(anna, post_id=post_id).json()["id"]
        about_boris = report(anna, user_id=boris.id).json()["id"]

        sentence = "This needs the permission post:delete_any"
        refused(decide(reader, about_post, delete_post=True), 403, sentence)
        refusal = decide(moderator, about_boris, delete_post=True)
        assert refusal.status_code == 422
        assert refusal.json()["error"] == "delete_post: This report is not about a post"
        decide(reader, about_post)
        assert decide(moderator, about_post, delete_post=True).status_code == 409

        assert client.get(f"/api/posts/{post_id}", headers=anna.headers).status_code == 200
        assert fetch_all("SELECT id FROM reports WHERE status = 'open'") == [{"id": about_boris}]
        assert count("audit_log") == 1

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"status": "open"},
            {"status": "lost"},
            {"status": "resolved", "note": ""},
            {"status": "resolved", "note": "x" * 1001},
            {"status": "resolved", "delete_post": "yes"},
            {"status": "resolved", "decided_by": 1},
        ],
    )
    def test_refuses_what_is_no_decision(self, client, report, anna, boris, moderator, body):
        path = f"/api/reports/{report(anna, user_id=boris.id).json()['id']}"
        assert client.patch(path, json=body, headers=moderator.headers).status_code == 422
        assert count("reports", "status = 'open'") == 1

    def test_who_may_not(self, client, report, decide, anna, boris, refused):
        made = report(anna, user_id=boris.id).json()["id"]
        refused(decide(anna, made), 403, "This needs the permission report:resolve")
        answer = client.patch(f"/api/reports/{made}", json={"status": "resolved"})
        assert answer.status_code == 401

    def test_what_is_not_there(self, decide, moderator, refused):
        refused(decide(moderator, 999_999), 404, "Report not found")

    def test_of_ten_at_once_one_wins(self, report, decide, anna, boris, person, at_once, write):
        made = report(anna, post_id=write(boris)).json()["id"]
        moderators = [person(f"gopher_mod_{n}", ["moderator"]) for n in range(2)]

        answers = at_once(
            lambda n: decide(moderators[n % 2], made, ["resolved", "rejected"][n % 2]), range(10)
        )
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}
        [winner] = [answer.json() for answer in answers if answer.status_code == 200]
        assert fetch_all("SELECT status, decided_by FROM reports") == [
            {"status": winner["status"], "decided_by": winner["decided_by"]}
        ]
        assert count("audit_log") == 1


class TestReportedPosts:
    def test_moderators_see_them_whatever_blocks_say(
        self, client, report, anna, boris, moderator, write
    ):
        reported = write(boris)
        report(anna, post_id=reported)
        block(boris, moderator)

        seen = client.get(f"/api/posts/{reported}", headers=moderator.headers)
        assert (seen.status_code, seen.json()["user"]["id"]) == (200, boris.id)

    def test_deleted_ones_are_gone_for_moderators_too(
        self, client, report, anna, boris, moderator, write
    ):
        post_id = write(boris)
        report(anna, post_id=post_id)
        client.delete(f"/api/posts/{post_id}", headers=boris.headers)

        answer = client.get(f"/api/posts/{post_id}", headers=moderator.headers)
        assert answer.status_code == 404


class TestErasure:
    """What a person wrote, and what was written about them, goes with the account."""

    @pytest.mark.parametrize("who", ["anna", "boris", "moderator"])
    def test_texts_go_and_the_decision_stays(
        self, client, request, report, decide, anna, boris, moderator, who
    ):
        made = report(anna, user_id=boris.id, comment="Comment").json()["id"]
        decide(moderator, made, note="Note")
        leaver = request.getfixturevalue(who)
        client.delete(f"/api/users/{leaver.id}", headers=leaver.headers)

        [row] = fetch_all("SELECT comment, note, status, decided_by FROM reports")
        assert row == {
            "comment": "Comment" if who == "moderator" else None,
            "note": "Note" if who == "anna" else None,
            "status": "resolved",
            "decided_by": moderator.id,
        }

    def test_no_text_outlives_the_race_with_the_end_of_the_account(
        self, client, report, anna, person, at_once
    ):
        others = [person(f"gopher_{n}") for n in range(12)]

        def act(other):
            if other is None:
                return client.delete(f"/api/users/{anna.id}", headers=anna.headers)
            return report(anna, user_id=other.id, comment="Kanarie")

        at_once(act, [*others[:6], None, *others[6:]])
        assert count("users", "deleted_at IS NOT NULL") == 1
        assert count("reports", "comment IS NOT NULL") == 0


def test_a_role_of_that_name_becomes_the_built_in_one(client, root):
    roles = client.get("/api/roles", headers=root.headers).json()
    [moderator] = [role for role in roles if role["name"] == "moderator"]

    assert moderator["is_builtin"]
    assert moderator["permissions"] == ["post:delete_any", "report:read", "report:resolve"]
