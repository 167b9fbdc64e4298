"""The API, one table per resource. `ROUTERS` is all of it, in the order of a first visit."""

from dependencies.router import Router
from routes import (
    auth_routes,
    order_routes,
    post_routes,
    product_routes,
    role_routes,
    system_routes,
    token_routes,
    user_routes,
)

ROUTERS: list[Router] = [
    auth_routes.hashing,
    auth_routes.password_form,
    auth_routes.public,
    auth_routes.router,
    post_routes.router,
    product_routes.router,
    order_routes.router,
    user_routes.hashing,
    user_routes.router,
    role_routes.router,
    token_routes.router,
    system_routes.router,
]
