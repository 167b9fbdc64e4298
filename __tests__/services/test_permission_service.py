"""Permissions: a change and its entry in the audit log are one."""

import pytest

from repositories.sql import fetch_one
from services import audit_service, permission_service
from utils.errors import Conflict, NotFound

pytestmark = pytest.mark.usefixtures("system")

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def count():
    return fetch_one("SELECT count(*) AS n FROM permissions")["n"]


def builtin():
    return fetch_one("SELECT id::text AS id FROM permissions WHERE resource || action = 'postread'")


def test_making_and_deleting_leave_one_entry_each(db):
    pin = permission_service.create("post", "pin")
    permission_service.delete(pin["id"])
    deleted, created = audit_service.get_all(10, 0, None)

    assert (created["action"], created["target"]) == ("permission.create", "permission:post:pin")
    assert (created["before"], created["after"]) == (None, pin)
    assert (deleted["action"], deleted["target"]) == ("permission.delete", "permission:post:pin")
    assert (deleted["before"], deleted["after"]) == (pin, None)


def test_nothing_happens_when_the_log_cannot_be_written(db, monkeypatch):
    pin = permission_service.create("post", "pin")["id"]
    before = count()
    monkeypatch.setattr("repositories.audit_repository.add_entry", lambda *args: 1 / 0)
    for change in (
        lambda: permission_service.create("post", "pan"),
        lambda: permission_service.delete(pin),
    ):
        with pytest.raises(ZeroDivisionError):
            change()

    assert count() == before


class TestRefused:
    @pytest.fixture(autouse=True)
    def nothing_changes(self, db, system):
        before = count()
        yield
        assert count() == before
        assert audit_service.get_all(10, 0, None) == []

    def test_a_second_one_of_the_name(self):
        with pytest.raises(Conflict, match=r"^There is a permission post:read already$"):
            permission_service.create("post", "read")

    def test_a_built_in_one_is_not_deleted(self):
        with pytest.raises(Conflict, match=r"^The permission post:read is built in and stays$"):
            permission_service.delete(builtin()["id"])

    def test_an_unknown_one_is_not_there(self):
        with pytest.raises(NotFound, match=r"^Permission not found$"):
            permission_service.delete(UNKNOWN)


def test_one_that_roles_hold_names_them(role):
    pin = permission_service.create("post", "pin")["id"]
    before = count()
    role("zebra", "post:pin")
    role("baker", "post:pin")
    with pytest.raises(Conflict, match=r"^Take post:pin from these roles first: baker, zebra$"):
        permission_service.delete(pin)

    assert count() == before
