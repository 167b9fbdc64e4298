"""GopherTalk's entry point: puts the house together, and serves it when run as a program."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from config.startup import settings_or_exit
from dependencies.answers import refusals
from dependencies.body_limit import BodyLimit
from dependencies.cors import cors_options
from dependencies.docs import DESCRIPTION, install_docs
from dependencies.errors import UnforeseenErrors, install_error_handlers
from dependencies.request_context import RequestContext
from lifespan import lifespan
from routes import ROUTERS, auth_routes
from serve import serve

settings = settings_or_exit()

app = FastAPI(
    title="GopherTalk",
    version="1.0.0",
    description=DESCRIPTION,
    lifespan=lifespan,
    openapi_url="/openapi.json" if settings.docs_enabled else None,
    docs_url=None,
    redoc_url=None,
    redirect_slashes=False,
    generate_unique_id_function=lambda route: route.name,
    responses=refusals(500, 503),
    # The outermost first.
    middleware=[
        Middleware(RequestContext, seconds=settings.postgres_transaction_timeout),
        Middleware(CORSMiddleware, **cors_options(settings.env_allowed_origins)),
        Middleware(UnforeseenErrors),
        Middleware(BodyLimit),
    ],
)
install_error_handlers(app, ROUTERS)
for router in ROUTERS:
    if router is not auth_routes.password_form or settings.password_form_enabled:
        app.include_router(router)
if settings.docs_enabled:
    install_docs(app)

if __name__ == "__main__":
    serve(settings)
