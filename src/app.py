"""GopherTalk's entry point: puts the house together, and serves it when run as a program."""

if __name__ == "__main__":
    import entry

    entry.begin("It serves the API until Ctrl-C. Example: PORT=3001 python3 src/app.py")

from fastapi import FastAPI
from starlette.middleware import Middleware

from config.startup import settings_or_exit
from dependencies.auth import use_bearer_scheme
from dependencies.documentation.answers import GENERAL_ERRORS
from dependencies.documentation.openapi import install_openapi
from dependencies.documentation.pages import DESCRIPTION, install_docs
from dependencies.errors import install_error_handlers
from dependencies.middleware.body_limit import BodyLimit
from dependencies.middleware.compression import Compression
from dependencies.middleware.cors import Cors, cors_options
from dependencies.middleware.request_context import RequestContext
from dependencies.middleware.unforeseen_errors import UnforeseenErrors
from entry import VERSION
from lifespan import lifespan
from routes import ROUTERS, TAGS, auth_routes, system_routes
from server.serve import serve

settings = settings_or_exit()
switches = [
    (auth_routes.password_form, settings.password_form_enabled),
    (system_routes.metrics, settings.metrics_enabled),
    (system_routes.to_docs, settings.docs_enabled),
]
switched_off = [router for router, is_on in switches if not is_on]
routers = [router for router in ROUTERS if router not in switched_off]

app = FastAPI(
    title="GopherTalk",
    version=VERSION,
    description=DESCRIPTION,
    openapi_tags=TAGS,
    lifespan=lifespan,
    root_path=settings.root_path,
    servers=[{"url": settings.root_path}] if settings.root_path else None,
    openapi_url="/openapi.json" if settings.docs_enabled else None,
    docs_url=None,
    redoc_url=None,
    redirect_slashes=False,
    generate_unique_id_function=lambda route: route.name,
    responses=GENERAL_ERRORS,
    # FastAPI would look for an OpenTelemetry provider at every request.
    telemetry={"tracing": False, "metrics": False, "logs": False},
    middleware=[  # the outermost first
        Middleware(RequestContext, database_seconds=settings.postgres_transaction_timeout),
        Middleware(Cors, **cors_options(settings.env_allowed_origins)),
        Middleware(Compression),
        Middleware(BodyLimit),
        Middleware(UnforeseenErrors),
    ],
)
install_error_handlers(app)
for router in routers:
    app.include_router(router)
if not settings.password_form_enabled:
    use_bearer_scheme()
install_openapi(app)
if settings.docs_enabled:
    install_docs(app)

if __name__ == "__main__":
    serve(settings)
