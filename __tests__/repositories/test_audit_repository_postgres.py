"""The audit log in a real database."""

import contextlib

from repositories import audit_repository
from repositories.sql import fetch_one, transaction


def add(action, before=None, after=None, actor_id=7):
    with transaction() as conn:
        audit_repository.add_entry(actor_id, action, "user:1", before, after, "request-1", conn)


def actions(limit=10, offset=0, after_id=None):
    return [row["action"] for row in audit_repository.get_entries(limit, offset, after_id)]


def test_an_entry_comes_back_as_it_was_written(db):
    add("user.roles", {"roles": ["user"]}, {"roles": ["пекарь", "user"]})
    (entry,) = audit_repository.get_entries(10, 0, None)

    assert entry == {
        "id": 1,
        "created_at": entry["created_at"],
        "actor_id": 7,
        "action": "user.roles",
        "target": "user:1",
        "before": {"roles": ["user"]},
        "after": {"roles": ["пекарь", "user"]},
        "request_id": "request-1",
    }
    assert entry["created_at"].utcoffset() is not None


def test_nothing_before_is_null_and_not_the_json_null(db):
    add("role.create", None, {}, actor_id=None)

    row = fetch_one("SELECT before IS NULL AS nothing, after, actor_id FROM audit_log")
    assert row == {"nothing": True, "after": {}, "actor_id": None}


def test_the_newest_comes_first_and_a_page_goes_on_where_the_last_one_ended(db):
    for action in "abcd":
        add(action)
    first = audit_repository.get_entries(2, 0, None)
    add("e")

    assert [row["action"] for row in first] == ["d", "c"]
    assert actions(after_id=first[-1]["id"]) == ["b", "a"]
    assert actions(limit=2, offset=1) == ["d", "c"]


def test_an_entry_shares_the_fate_of_its_transaction(db):
    with contextlib.suppress(RuntimeError), transaction() as conn:
        audit_repository.add_entry(1, "user.update", "user:1", {}, {}, None, conn)
        raise RuntimeError

    assert actions() == []
