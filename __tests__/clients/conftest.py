"""A server with something to buy."""

import httpx
import pytest
from live_server import LiveServer

ADMIN_PASSWORD = "For-clients-1!"


@pytest.fixture(scope="module")
def shop(live_server: LiveServer) -> LiveServer:
    live_server.create_superuser(ADMIN_PASSWORD)
    with httpx.Client(base_url=f"{live_server.url}/api") as web:
        login = {"user_name": "admin", "password": ADMIN_PASSWORD}
        token = web.post("/auth/login", json=login).json()["access_token"]
        mug = {"name": "Gopher mug", "price": "10.50", "in_stock": True}
        made = web.post("/products", json=mug, headers={"Authorization": f"Bearer {token}"})
        assert made.status_code == 201
    return live_server
