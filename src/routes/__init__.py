"""The API, one table per resource. /docs shows them in the order of `TAGS`."""

from fastapi import APIRouter

from routes import (
    auth_routes,
    follow_routes,
    hiding_routes,
    notification_routes,
    order_routes,
    post_edit_routes,
    post_routes,
    product_routes,
    report_routes,
    role_routes,
    stream_routes,
    system_routes,
    token_routes,
    user_routes,
)

# FastAPI tries one after the other: what is asked for most stands first.
ROUTERS: list[APIRouter] = [
    post_routes.router,
    post_edit_routes.router,
    notification_routes.router,
    stream_routes.router,
    system_routes.router,
    product_routes.router,
    order_routes.router,
    report_routes.router,
    user_routes.router,
    user_routes.hashing,
    follow_routes.router,
    hiding_routes.router,
    auth_routes.hashing,
    auth_routes.password_form,
    auth_routes.public,
    auth_routes.router,
    auth_routes.recovery,
    auth_routes.recovery_hashing,
    token_routes.router,
    role_routes.router,
    user_routes.roles,
    system_routes.probes,
    system_routes.to_docs,
    system_routes.metrics,
]

# The chapters of /docs, in the order of a first visit. A router names its chapter in `tags`.
TAGS = [
    {"name": "auth", "description": "Start here: create an account, log in, renew the tokens."},
    {"name": "posts", "description": "Write, answer, read, like, view, search and edit posts."},
    {"name": "notifications", "description": "Who followed, answered, liked or mentioned you."},
    {"name": "stream", "description": "Follow all of it live, over one connection."},
    {"name": "products", "description": "What the shop sells. Reading needs no account."},
    {"name": "orders", "description": "Order products, follow the order, cancel it."},
    {"name": "users", "description": "Your account, and the other members."},
    {"name": "community", "description": "Follow, mute and block other members."},
    {"name": "reports", "description": "What moderators should see, and what they decide."},
    {"name": "roles", "description": "Who may do what, and who changed it. For administrators."},
    {"name": "tokens", "description": "Short-lived tokens for links and one-time codes."},
    {"name": "sessions", "description": "Where you are logged in. Log out, here or everywhere."},
    {"name": "recovery", "description": "For a forgotten password, or a new e-mail address."},
    {"name": "system", "description": "Does everything work? For operators."},
]
