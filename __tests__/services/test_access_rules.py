"""Who acts, and what they may do: asked by calling services directly, without HTTP."""

from itertools import count

import pytest
from shop import new_order, new_product

from demo.crowd import Size
from repositories import post_repository, role_repository
from repositories.sql import execute, fetch_all, transaction
from services import (
    access_rules,
    audit_service,
    auth_service,
    demo_service,
    order_service,
    permission_service,
    post_service,
    product_service,
    role_service,
    session_service,
    user_service,
)
from services.access_rules import MEMBER_DEFAULTS, SYSTEM, acting_as
from utils.errors import Forbidden, InvalidCredentials

MODERATOR = {"audit:read", "post:delete_any", "role:read", "user:read_private"}
NEW_USER = {
    "password": "gopher1!",
    "first_name": "Boris",
    "last_name": "Petrov",
    "roles": [],
    "is_active": True,
    "is_superuser": False,
}
HOLDERS = ("admin", "superuser", "system")
SUPERUSERS = ("superuser", "system")
# Where nobody is known to act, the user acts whom the arguments name.
IN_ONES_NAME = ("nobody", "system")
ANY_OWNER = ("nobody", *HOLDERS)
EVERY_MEMBER = ("nobody", "member", "moderator", *HOLDERS)


class World:
    """Makes what a caller may try to change: other people's things."""

    def __init__(self, person, role):
        self.person, self.new_role, self.numbers = person, role, count(1)

    def user(self, **columns):
        return self.person(f"gopher_{next(self.numbers)}", **columns).id

    def superuser(self):
        return self.user(is_superuser=True)

    def role(self):
        return self.new_role(f"baker_{next(self.numbers)}")

    def post(self, owner_id):
        new = {"text": "Hello", "user_id": owner_id, "reply_to_id": None}
        return post_repository.create_post(new)["id"]

    def order(self, owner_id):
        with acting_as(SYSTEM):
            return new_order(owner_id, new_product())["id"]

    def permission(self):
        with acting_as(SYSTEM):
            return permission_service.create("post", f"pin_{next(self.numbers)}")["id"]

    def new_user(self, **fields):
        return {**NEW_USER, "user_name": f"gopher_{next(self.numbers)}", **fields}


def assign(user_id, roles):
    with transaction() as conn:
        return role_service.assign(user_id, roles, conn)


# What is done, prepared by a first function and done by a second; and who may do it.
ACTIONS = {
    "rename": (World.user, lambda u: user_service.update(u, {"first_name": "Eve"}), ANY_OWNER),
    "set the password": (
        World.user,
        lambda u: user_service.update(u, {"password": "gopher2!"}),
        ANY_OWNER,
    ),
    "deactivate": (World.user, lambda u: user_service.update(u, {"is_active": False}), HOLDERS),
    "promote": (World.user, lambda u: user_service.update(u, {"is_superuser": True}), SUPERUSERS),
    "rename a superuser": (
        World.superuser,
        lambda u: user_service.update(u, {"first_name": "Eve"}),
        SUPERUSERS,
    ),
    "set a superuser's password": (
        World.superuser,
        lambda u: user_service.update(u, {"password": "gopher2!"}),
        SUPERUSERS,
    ),
    "delete": (World.user, user_service.delete, ANY_OWNER),
    "delete a superuser": (World.superuser, user_service.delete, SUPERUSERS),
    "delete with all posts": (World.user, user_service.delete_with_posts, HOLDERS),
    "create": (World.new_user, user_service.create, HOLDERS),
    "create with a role": (
        lambda w: w.new_user(roles=["admin"]),
        user_service.create,
        HOLDERS,
    ),
    "create a superuser": (
        lambda w: w.new_user(is_superuser=True),
        user_service.create,
        SUPERUSERS,
    ),
    "read a profile": (World.user, user_service.get_by_id, EVERY_MEMBER),
    "end a session": (World.user, session_service.end_all, IN_ONES_NAME),
    "list the roles": (
        lambda w: None,
        lambda _: role_service.get_all(10, 0),
        ("moderator", *HOLDERS),
    ),
    "read a user's roles": (World.user, role_service.get_of_user, ("moderator", *HOLDERS)),
    "create a role": (
        lambda w: f"cook_{next(w.numbers)}",
        lambda name: role_service.create(name, ""),
        HOLDERS,
    ),
    "change a role": (
        World.role,
        lambda r: role_service.update(r, {"description": "Bakes"}),
        HOLDERS,
    ),
    "delete a role": (World.role, lambda r: role_service.delete(r, force=True), HOLDERS),
    "set what a role holds": (
        World.role,
        lambda r: role_service.set_permissions(r, ["audit:read"]),
        HOLDERS,
    ),
    "set a user's roles": (World.user, lambda u: role_service.set_of_user(u, ["admin"]), HOLDERS),
    "assign a role": (World.user, lambda u: assign(u, ["admin"]), HOLDERS),
    "list the permissions": (
        lambda w: None,
        lambda _: permission_service.get_all(10, 0),
        HOLDERS,
    ),
    "create a permission": (
        lambda w: f"pin_{next(w.numbers)}",
        lambda action: permission_service.create("post", action),
        HOLDERS,
    ),
    "delete a permission": (World.permission, permission_service.delete, HOLDERS),
    "read the audit log": (
        lambda w: None,
        lambda _: audit_service.get_all(10, 0, None),
        ("moderator", *HOLDERS),
    ),
    "post in another's name": (
        lambda w: {"text": "Hi", "user_id": w.user(), "reply_to_id": None},
        post_service.create_post,
        IN_ONES_NAME,
    ),
    "like in another's name": (
        lambda w: (w.post(w.user()), w.user()),
        lambda args: post_service.like_post(*args),
        IN_ONES_NAME,
    ),
    "view in another's name": (
        lambda w: (w.post(w.user()), w.user()),
        lambda args: post_service.view_post(*args),
        IN_ONES_NAME,
    ),
    "delete another's post": (
        lambda w: (lambda u: (w.post(u), u))(w.user()),
        lambda args: post_service.delete_post(*args),
        ("nobody", "moderator", *HOLDERS),
    ),
    "create a product": (
        lambda w: {"name": "Mug", "price": "1.00", "in_stock": True},
        product_service.create,
        HOLDERS,
    ),
    "change a product": (
        lambda w: new_product(),
        lambda p: product_service.update(p, {"price": "2.00"}),
        HOLDERS,
    ),
    "delete a product": (lambda w: new_product(), product_service.delete, HOLDERS),
    "order in another's name": (
        lambda w: (w.user(), [{"product_id": new_product(), "quantity": 1}]),
        lambda args: order_service.create(*args),
        IN_ONES_NAME,
    ),
    "read another's order": (lambda w: w.order(w.user()), order_service.get_by_id, HOLDERS),
    "cancel another's order": (
        lambda w: w.order(w.user()),
        lambda order_id: order_service.change_status(order_id, "CANCELED"),
        HOLDERS,
    ),
}


@pytest.fixture
def world(db, person, role):
    person("gopher_root", is_superuser=True)
    return World(person, role)


@pytest.fixture
def callers(db):
    """By role; none of them owns anything."""
    with transaction() as conn:
        (admin,) = role_repository.find_roles(["admin"], conn)
    holds_all = role_repository.get_role(admin["id"])["permissions"]
    member = {"sub": "999999", "exp": 0, "user_name": "gopher_eve", "permissions": MEMBER_DEFAULTS}
    return {
        "nobody": None,
        "guest": {"sub": "0", "exp": 0, "permissions": frozenset({"product:read"})},
        "member": member,
        "moderator": {**member, "permissions": MEMBER_DEFAULTS | MODERATOR},
        "admin": {**member, "permissions": frozenset(holds_all)},
        "superuser": {**member, "permissions": frozenset(), "is_superuser": True},
        "system": SYSTEM,
    }


def snapshot():
    """All that an action could change."""
    tables = (
        "users", "roles", "permissions", "role_permissions", "user_roles", "audit_log", "sessions",
        "posts", "likes", "views", "products", "orders"
    )  # fmt: skip
    return [fetch_all(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


@pytest.mark.parametrize("name", ACTIONS)
def test_what_is_anothers_is_done_by_those_who_may_alone(world, callers, name):
    prepare, act, allowed = ACTIONS[name]
    for who, caller in callers.items():
        subject = prepare(world)
        before = snapshot()
        with acting_as(caller):
            if who in allowed:
                act(subject)
            else:
                with pytest.raises((Forbidden, InvalidCredentials)):
                    act(subject)
        reads = name.startswith(("read", "list"))
        assert (snapshot() == before) is (who not in allowed or reads), who


def test_who_makes_accounts_needs_another_permission_to_give_them_roles(world, caller):
    caller(999999, "user:create")
    user_service.create(world.new_user())
    with pytest.raises(Forbidden, match="role:write"):
        user_service.create(world.new_user(roles=["admin"]))


def test_the_log_says_who_acted(world, callers):
    actors = {}
    for who in HOLDERS:
        with acting_as(callers[who]):
            user_service.update(world.user(), {"first_name": "Hanna"})
            actors[who] = audit_service.get_all(1, 0, None)[0]["actor_id"]

    assert actors == {"admin": 999999, "superuser": 999999, "system": None}


def test_where_nobody_acts_a_new_password_ends_the_sessions(register):
    anna, boris = register("gopher_anna"), register("gopher_boris")
    user_service.update(anna.id, {"password": "gopher2!"})

    living = fetch_all("SELECT user_id FROM sessions WHERE ended_at IS NULL")
    assert [row["user_id"] for row in living] == [boris.id]


def test_a_stolen_refresh_token_ends_the_session_whoever_uses_it(register, caller):
    anna = register("gopher_anna")
    execute("UPDATE refresh_tokens SET spent_at = now() - interval '1 minute'")
    caller(0)
    with pytest.raises(InvalidCredentials):
        auth_service.refresh(anna.refresh_token)

    assert fetch_all("SELECT 1 FROM sessions WHERE ended_at IS NULL") == []


@pytest.mark.parametrize("who", ["nobody", "guest", "member", "moderator"])
def test_a_demo_is_seeded_by_those_who_may_make_users(callers, who):
    with acting_as(callers[who]), pytest.raises((Forbidden, InvalidCredentials)):
        demo_service.seed(Size(1, 1, 1, 1), 1, 4)


HOLDER = {"sub": "7", "exp": 0, "permissions": frozenset({"post:delete_any"})}
PLAIN = {**HOLDER, "permissions": frozenset({"post:read"})}
GUEST = {"sub": "0", "exp": 0, "permissions": frozenset({"product:read"})}
COURSE = {"sub": "7", "exp": 0}


class TestMay:
    @pytest.mark.parametrize("who", [HOLDER, {**PLAIN, "is_superuser": True}, SYSTEM])
    def test_who_holds_it_may(self, who):
        with acting_as(who):
            assert access_rules.may("post:delete_any")

    @pytest.mark.parametrize("who", [PLAIN, {**PLAIN, "is_superuser": False}, GUEST, COURSE, None])
    def test_nobody_else_may(self, who):
        with acting_as(who):
            assert not access_rules.may("post:delete_any")

    @pytest.mark.parametrize("name", ["post:delete", "post", "", "POST:DELETE_ANY", "post:read "])
    def test_a_permission_is_its_whole_name(self, name):
        with acting_as({**HOLDER, "permissions": frozenset({"post:delete_any", "post:read"})}):
            assert not access_rules.may(name)

    @pytest.mark.parametrize("who", [COURSE, None])
    def test_without_a_list_of_permissions_it_is_a_members_defaults(self, who):
        with acting_as(who):
            assert all(access_rules.may(name) for name in MEMBER_DEFAULTS)
        with acting_as({**COURSE, "permissions": frozenset()}):
            assert not access_rules.may("post:read")


@pytest.mark.parametrize(
    ("who", "user", "own"),
    [
        (PLAIN, 7, True),
        (PLAIN, "7", True),
        ({**PLAIN, "user_name": "gopher_anna"}, "gopher_anna", True),
        (PLAIN, 70, False),
        (PLAIN, "gopher_anna", False),
        (GUEST, 0, False),
        (GUEST, "0", False),
        (None, 7, False),
        (SYSTEM, 7, False),
    ],
)
def test_ones_own_is_known_by_id_and_by_name(who, user, own):
    with acting_as(who):
        assert access_rules.is_caller(user) is own


@pytest.mark.parametrize(
    ("who", "error"), [(GUEST, InvalidCredentials), (None, Forbidden), (SYSTEM, Forbidden)]
)
def test_a_member_has_a_token(who, error):
    with acting_as(who), pytest.raises(error):
        access_rules.require_member()


def test_a_guest_is_told_to_log_in_and_a_member_what_is_missing():
    with acting_as(GUEST), pytest.raises(InvalidCredentials, match=r"^Not authenticated$"):
        access_rules.require_permission("post:read")
    with acting_as(PLAIN), pytest.raises(Forbidden, match=r"^This needs the permission post:like$"):
        access_rules.require_permission("post:like")


def test_after_the_block_acts_who_acted_before():
    with acting_as(PLAIN):
        with pytest.raises(ZeroDivisionError), acting_as(SYSTEM):
            raise ZeroDivisionError
        assert access_rules.current_caller() == PLAIN
    assert access_rules.current_caller() is None
