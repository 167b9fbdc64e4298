"""Swagger UI and ReDoc without internet: all their files are served from here."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import (
    get_redoc_html,
    get_swagger_ui_html,
    get_swagger_ui_oauth2_redirect_html,
)
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

HERE = Path(__file__).parent
# The package fastapi-offline carries the files of both pages; its code is not used.
ASSETS = Path(str(files("fastapi_offline"))) / "static"
ASSETS_URL = "/docs-assets"
REDOC_SCRIPT = f"{ASSETS_URL}/redoc.standalone.js"
REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"

DESCRIPTION = (HERE / "description.md").read_text("utf-8")
# The pages load nothing from any other host.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' data: blob:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
SWAGGER_PARAMETERS = {
    "persistAuthorization": True,
    "displayRequestDuration": True,
    "defaultModelsExpandDepth": 0,
}


def install_docs(app: FastAPI) -> None:
    """Needs an app whose own `docs_url` and `redoc_url` are off."""
    app.include_router(docs_router)
    app.mount(ASSETS_URL, StaticFiles(directory=ASSETS), name="docs-assets")


@lru_cache
def _read_redoc_script() -> str:
    return (ASSETS / "redoc.standalone.js").read_text("utf-8")


async def _redoc_script(request: Request) -> Response:
    """ReDoc's script would load its maker's logo from another host: our icon replaces it."""
    icon = f"{request.scope['root_path']}{ASSETS_URL}/favicon.png"
    script = _read_redoc_script().replace(REDOC_LOGO, icon)
    return Response(script, media_type="text/javascript")


def _page(html: HTMLResponse, style: str = "") -> HTMLResponse:
    """The page with our headers, and with a style sheet."""
    styled = bytes(html.body).decode().replace("</head>", f"<style>{style}</style></head>")
    return HTMLResponse(styled, headers=PAGE_HEADERS)


async def _swagger_ui(request: Request) -> HTMLResponse:
    prefix = request.scope["root_path"]
    page = get_swagger_ui_html(
        openapi_url=f"{prefix}/openapi.json",
        title="GopherTalk: Swagger UI",
        oauth2_redirect_url=f"{prefix}/docs/oauth2-redirect",
        swagger_js_url=f"{prefix}{ASSETS_URL}/swagger-ui-bundle.js",
        swagger_css_url=f"{prefix}{ASSETS_URL}/swagger-ui.css",
        swagger_favicon_url=f"{prefix}{ASSETS_URL}/favicon.png",
        swagger_ui_parameters=SWAGGER_PARAMETERS,
    )
    return _page(page, (HERE / "swagger_ui.css").read_text("utf-8"))


async def _oauth2_redirect() -> HTMLResponse:
    return _page(get_swagger_ui_oauth2_redirect_html())


async def _redoc(request: Request) -> HTMLResponse:
    prefix = request.scope["root_path"]
    page = get_redoc_html(
        openapi_url=f"{prefix}/openapi.json",
        title="GopherTalk: ReDoc",
        redoc_js_url=prefix + REDOC_SCRIPT,
        redoc_favicon_url=f"{prefix}{ASSETS_URL}/favicon.png",
        with_google_fonts=False,
    )
    return _page(page)


docs_router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
docs_router.get("/docs")(_swagger_ui)
docs_router.get("/docs/oauth2-redirect")(_oauth2_redirect)
docs_router.get("/redoc")(_redoc)
docs_router.get(REDOC_SCRIPT)(_redoc_script)
