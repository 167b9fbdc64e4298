"""Accounts that somebody else makes, changes and deletes: the transaction, and what it leaves."""

import pytest

from repositories import role_repository, user_repository
from repositories.sql import fetch_all
from services import account_rules, audit_service, auth_service, user_service
from services.access_rules import SYSTEM, acting_as
from utils import context
from utils.errors import Conflict, Forbidden, NotFound

NEW = {
    "user_name": "gopher_boris",
    "password": "gopher1!",
    "first_name": "Boris",
    "last_name": "Petrov",
    "roles": [],
    "is_active": True,
    "is_superuser": False,
}


@pytest.fixture
def root(person):
    return person("gopher_root", is_superuser=True)


def entries():
    with acting_as(SYSTEM):
        return audit_service.get_all(10, 0, None)


class TestCreate:
    def test_with_roles_and_flags(self, db, role, caller, root):
        role("baker")
        caller(root.id, is_superuser=True)
        profile = user_service.create(
            {**NEW, "roles": ["baker"], "is_active": False, "is_superuser": True}
        )

        held = role_repository.get_user_roles(profile["id"])
        assert [each["name"] for each in held] == ["baker", "user"]
        assert (profile["status"], profile["is_active"], profile["is_superuser"]) == (
            0,
            False,
            True,
        )

    def test_leaves_an_entry_with_the_names_of_the_roles(self, role, caller, root):
        baker = role("baker")
        caller(root.id, is_superuser=True)
        reset = context.request_id.set("request-7")
        try:
            profile = user_service.create({**NEW, "roles": [baker]})
        finally:
            context.request_id.reset(reset)

        (entry,) = entries()
        assert entry == {
            "id": entry["id"],
            "created_at": entry["created_at"],
            "actor_id": root.id,
            "action": "user.create",
            "target": f"user:{profile['id']}",
            "before": None,
            "after": {"roles": ["baker"], "is_active": True, "is_superuser": False},
            "request_id": "request-7",
        }

    @pytest.mark.parametrize(
        ("error", "changes"),
        [
            (NotFound, {"roles": ["admin", "painter"]}),
            (Conflict, {"user_name": "gopher_root"}),
            (Forbidden, {"is_superuser": True}),
        ],
    )
    def test_what_is_refused_leaves_neither_a_user_nor_an_entry(self, caller, root, error, changes):
        caller(root.id, "user:create", "role:write")
        with pytest.raises(error):
            user_service.create({**NEW, **changes})

        assert [each["id"] for each in user_repository.get_all_users(10, 0)] == [root.id]
        assert (fetch_all("SELECT 1 FROM user_roles"), entries()) == ([], [])

    @pytest.mark.usefixtures("system")
    def test_nobody_is_made_when_the_log_cannot_be_written(self, root, monkeypatch):
        monkeypatch.setattr("repositories.audit_repository.add_entry", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            user_service.create(dict(NEW))

        assert len(user_repository.get_all_users(10, 0)) == 1


class TestChanges:
    def test_of_somebody_else_leave_an_entry_without_the_values(self, caller, root, person):
        anna = person("gopher_anna")
        caller(root.id, is_superuser=True)
        user_service.update(anna.id, {"password": "gopher2!", "is_active": False})

        (entry,) = entries()
        assert (entry["action"], entry["target"]) == ("user.update", f"user:{anna.id}")
        assert entry["before"] == {"is_active": True, "is_superuser": False}
        assert entry["after"] == {
            "is_active": False,
            "is_superuser": False,
            "changed": ["password_hash", "status"],
        }

    def test_of_ones_own_name_leave_none(self, caller, person):
        anna = person("gopher_anna")
        caller(anna.id)
        user_service.update(anna.id, {"first_name": "Hanna"})

        assert entries() == []

    @pytest.mark.parametrize("function", ["update", "delete"])
    def test_do_not_happen_when_the_log_cannot_be_written(
        self, caller, root, person, monkeypatch, function
    ):
        anna = person("gopher_anna")
        caller(root.id, is_superuser=True)
        monkeypatch.setattr("repositories.audit_repository.add_entry", lambda *args: 1 / 0)
        args = (anna.id, {"is_active": False}) if function == "update" else (anna.id,)
        with pytest.raises(ZeroDivisionError):
            getattr(user_service, function)(*args)

        assert user_repository.get_user_by_id(anna.id)["status"] == 1

    @pytest.mark.parametrize("function", ["update", "delete"])
    def test_that_are_refused_leave_no_entry(self, caller, root, person, function):
        helper = person("gopher_helper")
        caller(helper.id, "user:update_any", "user:delete_any")
        other = person("gopher_other", is_superuser=True)
        args = (other.id, {"first_name": "Eve"}) if function == "update" else (other.id,)
        with pytest.raises(Forbidden):
            getattr(user_service, function)(*args)

        assert user_repository.get_user_by_id(other.id)["first_name"] == "Anna"
        assert entries() == []

    def test_deleting_somebody_else_leaves_an_entry(self, caller, root, person):
        anna = person("gopher_anna")
        caller(root.id, is_superuser=True)
        user_service.delete(anna.id)

        (entry,) = entries()
        assert (entry["action"], entry["target"]) == ("user.delete", f"user:{anna.id}")
        assert entry["before"] == {"is_active": True, "is_superuser": False}
        assert entry["after"] is None


class TestLogin:
    def stored(self, user):
        return user_repository.get_password_hash(user.id)

    def cost(self, user):
        return self.stored(user)[4:6]

    def rounds(self, monkeypatch, rounds):
        settings = auth_service.get_settings().model_copy(update={"bcrypt_rounds": rounds})
        for module in (auth_service, account_rules):
            monkeypatch.setattr(module, "get_settings", lambda: settings)

    def test_hashes_anew_when_the_cost_has_risen(self, person, monkeypatch):
        anna, boris = person("gopher_anna"), person("gopher_boris")
        self.rounds(monkeypatch, 5)
        auth_service.login({"user_name": "gopher_anna", "password": "gopher1!"})

        assert (self.cost(anna), self.cost(boris)) == ("05", "04")
        assert auth_service.login({"user_name": "gopher_anna", "password": "gopher1!"})

    def test_leaves_the_hash_when_the_cost_is_the_same(self, person, monkeypatch):
        anna = person("gopher_anna")
        before = self.stored(anna)
        auth_service.login({"user_name": "gopher_anna", "password": "gopher1!"})

        assert self.stored(anna) == before

    def test_does_not_weaken_a_hash(self, person, monkeypatch):
        anna = person("gopher_anna")
        self.rounds(monkeypatch, 5)
        auth_service.login({"user_name": "gopher_anna", "password": "gopher1!"})
        self.rounds(monkeypatch, 4)
        auth_service.login({"user_name": "gopher_anna", "password": "gopher1!"})

        assert self.cost(anna) == "05"

    def test_a_refused_one_hashes_nothing(self, person, monkeypatch):
        anna = person("gopher_anna", status=0)
        boris = person("gopher_boris")
        self.rounds(monkeypatch, 5)
        for name, password in (("gopher_anna", "gopher1!"), ("gopher_boris", "gopher2!")):
            with pytest.raises(ValueError, match=r"^Wrong password$"):
                auth_service.login({"user_name": name, "password": password})

        assert (self.cost(anna), self.cost(boris)) == ("04", "04")
