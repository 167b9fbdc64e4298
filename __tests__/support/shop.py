"""People, products and servers for the tests of the shop."""

import os
import socket
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest

from config.settings import get_settings

REDIS = (os.environ.get("TEST_REDIS_HOST", "127.0.0.1"), 6379)
RABBITMQ = (os.environ.get("TEST_RMQ_HOST", "127.0.0.1"), 5672)


def reachable(address) -> bool:
    with suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False


# Where the servers must be there, as for .ci/run, their tests fail instead of being skipped.
DEMANDED = "DEMAND_SERVERS" in os.environ
needs_redis = pytest.mark.skipif(
    not (DEMANDED or reachable(REDIS)), reason="no Redis on 127.0.0.1:6379"
)
needs_rabbitmq = pytest.mark.skipif(
    not (DEMANDED or reachable(RABBITMQ)), reason="no RabbitMQ on 127.0.0.1:5672"
)


def new_user(name: str, is_superuser: bool = False) -> int:
    from repositories.sql import fetch_one

    row = fetch_one(
        """
        INSERT INTO users (user_name, first_name, last_name, password_hash, is_superuser)
        VALUES (%s, 'Anna', 'Petrova', 'x', %s)
        RETURNING id
        """,
        (name, is_superuser),
    )
    return row["id"]


def headers_of(user_id: int) -> dict[str, str]:
    """What a logged-in user sends."""
    from services.auth_service import generate_token_pair

    return {"Authorization": f"Bearer {generate_token_pair(user_id)['access_token']}"}


def new_product(name="Mug", price="10.10", in_stock=True) -> int:
    from repositories import product_repository

    return product_repository.create_product({"name": name, "price": price, "in_stock": in_stock})[
        "id"
    ]


def new_order(user_id: int, product_id: int, quantity=1) -> dict[str, Any]:
    from services import order_service

    return order_service.create(user_id, [{"product_id": product_id, "quantity": quantity}])


def count(table: str, condition="true") -> int:
    from repositories.sql import fetch_one

    return fetch_one(f"SELECT count(*) AS n FROM {table} WHERE {condition}")["n"]


def eventually(condition, seconds=20.0):
    """Waits until it is true; returns its last value."""
    deadline = monotonic() + seconds
    while not (value := condition()) and monotonic() < deadline:
        sleep(0.02)
    return value


@contextmanager
def settings_with(**environment: str):
    """Other settings for a while."""
    saved = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    get_settings.cache_clear()
    try:
        yield get_settings()
    finally:
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        get_settings.cache_clear()


def unique(stem: str) -> str:
    return f"{stem}.{uuid4().hex[:8]}"
