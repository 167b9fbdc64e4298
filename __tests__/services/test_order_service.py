"""The rules of orders, over repositories that are not there."""

from unittest.mock import patch
from uuid import uuid4

import pytest

from services import order_service
from services.access_rules import SYSTEM, acting_as
from utils.errors import Conflict, Forbidden, NotFound, Unavailable

ORDER_ID = uuid4()
ORDER = {"id": str(ORDER_ID), "user_id": 7, "status": "PENDING"}
OWNER = {"sub": "7", "exp": 0, "permissions": frozenset()}
OTHER = {"sub": "8", "exp": 0, "permissions": frozenset()}
CLERK = {"sub": "9", "exp": 0, "permissions": frozenset({"order:update_any", "order:read_any"})}
ROOT = {"sub": "10", "exp": 0, "permissions": frozenset(), "is_superuser": True}

EVERYTHING = {"owner_id": None, "status": None, "after_id": None, "limit": 10}


@pytest.fixture
def orders():
    with patch("services.order_service.order_repository") as orders:
        orders.get_owner_id.return_value = 7
        orders.get_order.return_value = ORDER
        orders.update_status.return_value = ORDER
        yield orders


@pytest.fixture
def cache():
    with patch("services.order_service.order_cache") as cache:
        cache.read.side_effect = lambda order_id, load: load()
        yield cache


class TestRead:
    @pytest.mark.parametrize("caller", [OWNER, CLERK, ROOT, SYSTEM])
    def test_those_who_may(self, orders, cache, caller):
        with acting_as(caller):
            assert order_service.get_by_id(ORDER_ID) is ORDER
            assert order_service.get_events(ORDER_ID) is orders.get_events.return_value

    @pytest.mark.parametrize("caller", [OTHER, None])
    @pytest.mark.parametrize("source", ["copy", "row"])
    def test_nobody_else_wherever_it_comes_from(self, orders, cache, source, caller):
        if source == "copy":
            cache.read.side_effect = lambda order_id, load: ORDER
        with acting_as(caller):
            with pytest.raises(Forbidden):
                order_service.get_by_id(ORDER_ID)
            with pytest.raises(Forbidden):
                order_service.get_events(ORDER_ID)

    @pytest.mark.parametrize(("caller", "owner_id"), [(OWNER, 7), (CLERK, None), (SYSTEM, None)])
    def test_a_list_has_ones_own_or_with_the_permission_everybodys(self, orders, caller, owner_id):
        with acting_as(caller):
            order_service.get_all(EVERYTHING)

        orders.get_orders.assert_called_once_with({**EVERYTHING, "owner_id": owner_id})

    def test_nobody_has_no_orders(self, orders):
        with pytest.raises(Forbidden):
            order_service.get_all(EVERYTHING)
        orders.get_orders.assert_not_called()


class TestChangeStatus:
    @pytest.mark.parametrize(
        ("caller", "status"),
        [
            (OWNER, "CANCELED"),
            (CLERK, "CANCELED"),
            (CLERK, "PAID"),
            (ROOT, "SHIPPED"),
            (SYSTEM, "SHIPPED"),
        ],
    )
    def test_those_who_may(self, orders, cache, caller, status):
        with acting_as(caller):
            assert order_service.change_status(ORDER_ID, status) is ORDER
        cache.invalidate.assert_called_once_with(ORDER_ID)

    @pytest.mark.parametrize(
        ("caller", "status"),
        [(OTHER, "CANCELED"), (OTHER, "PAID"), (OWNER, "PAID"), (None, "CANCELED")],
    )
    def test_nobody_else(self, orders, cache, caller, status):
        with acting_as(caller), pytest.raises(Forbidden):
            order_service.change_status(ORDER_ID, status)
        orders.update_status.assert_not_called()

    def test_not_from_every_status(self, orders, cache):
        orders.update_status.return_value = None
        with acting_as(CLERK), pytest.raises(Conflict):
            order_service.change_status(ORDER_ID, "PAID")

    def test_invalidates_the_cache_also_when_the_answer_was_lost(self, orders, cache):
        orders.update_status.side_effect = Unavailable("gone")
        with acting_as(CLERK), pytest.raises(Unavailable):
            order_service.change_status(ORDER_ID, "PAID")
        cache.invalidate.assert_called_once_with(ORDER_ID)


def test_a_user_without_orders_must_exist(orders):
    orders.get_orders.return_value = []
    with (
        acting_as(OWNER),
        patch("repositories.user_repository.get_user_by_id", side_effect=NotFound("no")),
        pytest.raises(NotFound),
    ):
        order_service.get_all_of_user(EVERYTHING, 7)
