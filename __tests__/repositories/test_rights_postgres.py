"""What a session may do: the union of what guests, members and the user's own roles hold."""

from uuid import uuid4

import pytest

from repositories import session_repository, user_repository
from repositories.sql import execute, fetch_all, fetch_one, transaction
from services import auth_service


@pytest.fixture
def session(person):
    """Logs a new user in; gives the session's and the user's id."""

    def make(*args, **columns):
        user_id = person(*args, **columns).id
        row = fetch_one("SELECT id::text AS id FROM sessions WHERE user_id = %s", (user_id,))
        return row["id"], user_id

    return make


def permissions(session):
    return sorted(session_repository.get_access(*session)["permissions"])


def held(*role_names):
    """What these roles hold, read from the tables without the code under test."""
    rows = fetch_all(
        """
        SELECT DISTINCT p.resource || ':' || p.action AS name
        FROM role_permissions rp
        JOIN roles r ON r.id = rp.role_id
        JOIN permissions p ON p.id = rp.permission_id
        WHERE r.name = ANY(%s)
        """,
        (list(role_names),),
    )
    return sorted(row["name"] for row in rows)


def test_the_access_names_the_user_and_the_flag(session):
    anna, boris = session("gopher_anna"), session("gopher_boris", is_superuser=True)

    assert session_repository.get_access(*anna) == {
        "user_name": "gopher_anna",
        "is_superuser": False,
        "permissions": session_repository.get_access(*anna)["permissions"],
    }
    assert session_repository.get_access(*boris)["is_superuser"] is True


def test_two_users_with_different_roles_hold_what_their_roles_hold(session, role):
    role("warden", "post:delete_any", "post:read")
    role("clerk", "order:read_any", "order:update_any")
    plain = session("gopher_plain")
    moderator = session("gopher_mod", ["warden"])
    both = session("gopher_both", ["warden", "clerk"])

    assert permissions(plain) == held("guest", "user")
    assert permissions(moderator) == held("guest", "user", "warden")
    assert permissions(both) == held("guest", "user", "warden", "clerk")
    assert "post:delete_any" not in permissions(plain)


def test_the_administrator_holds_all(session):
    rows = fetch_all("SELECT resource || ':' || action AS name FROM permissions ORDER BY 1")
    assert permissions(session("gopher_admin", ["admin"])) == [row["name"] for row in rows]


def test_each_permission_comes_once_however_many_roles_hold_it(session, role):
    role("reader", "post:read", "user:read")
    listed = permissions(session("gopher_anna", ["reader", "admin"]))

    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", ["guest", "user"])
def test_what_everybody_holds_is_taken_from_everybody(session, name):
    anna = session("gopher_anna")
    execute(
        "DELETE FROM role_permissions WHERE role_id = (SELECT id FROM roles WHERE name = %s)",
        (name,),
    )
    rest = {"guest": "user", "user": "guest"}[name]
    assert permissions(anna) == held(rest)


def test_guests_hold_what_the_role_guest_holds_and_no_more(db):
    assert session_repository.get_guest_permissions() == ["product:read"]
    execute("DELETE FROM role_permissions")
    assert session_repository.get_guest_permissions() == []


@pytest.mark.parametrize(
    "gone",
    [
        "UPDATE users SET status = 0 WHERE id = %s",
        "UPDATE users SET deleted_at = now() WHERE id = %s",
        "UPDATE sessions SET ended_at = now() WHERE user_id = %s",
        "UPDATE sessions SET expires_at = now() WHERE user_id = %s",
        "DELETE FROM sessions WHERE user_id = %s",
    ],
)
def test_a_session_that_is_over_gives_no_access_and_another_users_still_does(session, gone):
    anna, boris = session("gopher_anna"), session("gopher_boris")
    execute(gone, (anna[1],))

    assert session_repository.get_access(*anna) is None
    assert session_repository.get_access(*boris) is not None


def test_a_session_is_its_users_alone(session):
    anna, boris = session("gopher_anna"), session("gopher_boris")

    assert session_repository.get_access(anna[0], boris[1]) is None
    assert session_repository.get_access(str(uuid4()), anna[1]) is None


def by_email(email):
    with transaction() as conn:
        return user_repository.find_by_email(email, conn)


class TestEmail:
    def test_an_address_is_one_users_in_any_case_until_the_user_is_deleted(self, person):
        anna = person("gopher_anna", email="Anna@Example.org")
        with pytest.raises(ValueError, match=r"^E-mail address already taken$"):
            person("gopher_boris", email="anna@example.ORG")
        assert by_email("ANNA@EXAMPLE.ORG") == {"id": anna.id, "email": "Anna@Example.org"}

        user_repository.delete_user(anna.id)
        boris = person("gopher_boris", email="anna@example.ORG")
        assert boris.id != anna.id
        assert by_email("Anna@Example.org") == {"id": boris.id, "email": "anna@example.ORG"}

    def test_any_number_of_users_have_none(self, person):
        assert person("gopher_anna", email=None).id != person("gopher_boris", email=None).id

    def test_an_address_that_is_already_anothers_changes_nothing(self, person):
        person("gopher_anna", email="anna@example.org")
        boris = person("gopher_boris", email="boris@example.org")
        with pytest.raises(ValueError, match=r"^E-mail address already taken$"):
            user_repository.update_user(boris.id, {"email": "ANNA@example.org"})

        assert user_repository.get_user_profile(boris.id)["email"] == "boris@example.org"

    @pytest.mark.parametrize("gone", ["status = 0", "deleted_at = now()"])
    def test_who_is_gone_is_not_found_by_address(self, person, gone):
        anna = person("gopher_anna", email="anna@example.org")
        boris = person("gopher_boris", email="boris@example.org")
        execute("UPDATE users SET " + gone + " WHERE id = %s", (anna.id,))

        assert by_email("anna@example.org") is None
        assert by_email("boris@example.org") == {"id": boris.id, "email": "boris@example.org"}


def test_a_hash_is_replaced_unless_the_password_was_changed_meanwhile(person):
    anna, boris = person("gopher_anna"), person("gopher_boris")
    old = user_repository.get_password_hash(anna.id)
    user_repository.replace_password_hash(anna.id, old, "stronger")
    user_repository.replace_password_hash(anna.id, old, "too late")

    assert user_repository.get_password_hash(anna.id) == "stronger"
    assert user_repository.get_password_hash(boris.id) == old


def test_only_active_superusers_count(person):
    anna = person("gopher_anna", is_superuser=True)
    boris = person("gopher_boris", is_superuser=True)
    person("gopher_clara", is_superuser=True, status=0)
    person("gopher_dora")
    user_repository.delete_user(person("gopher_emma", is_superuser=True).id)
    with transaction() as conn:
        assert user_repository.lock_active_superusers(conn) == [anna.id, boris.id]


def test_a_login_opens_a_session_of_its_own(person):
    anna = person("gopher_anna")
    auth_service.generate_token_pair(anna.id)
    rows = fetch_all("SELECT id::text AS id FROM sessions WHERE user_id = %s", (anna.id,))

    assert len({row["id"] for row in rows}) == 2
