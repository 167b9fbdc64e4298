"""The API, one table per resource. `ROUTERS` is all of it, in the order of a first visit."""

from fastapi import APIRouter

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

ROUTERS: list[APIRouter] = [
    auth_routes.hashing,
    auth_routes.password_form,
    auth_routes.public,
    post_routes.router,
    product_routes.router,
    order_routes.router,
    user_routes.router,
    user_routes.hashing,
    role_routes.router,
    user_routes.roles,
    token_routes.router,
    auth_routes.router,
    auth_routes.recovery,
    auth_routes.recovery_hashing,
    system_routes.shared,
    system_routes.router,
    system_routes.to_docs,
    system_routes.metrics,
]
