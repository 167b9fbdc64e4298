"""Swagger UI and ReDoc from files of our own: both work on a machine without internet."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.docs import (
    get_redoc_html,
    get_swagger_ui_html,
    get_swagger_ui_oauth2_redirect_html,
)
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

DESCRIPTION = """
The back end of a small community: people talk, and
members buy things in a shop.

1. **Register** with `POST /api/auth/register`: its example will do.
2. Press **Authorize** and enter the same user name and password, `gopher_anna` and `gopher1!`.
3. Write a post, answer it, like it, search for it. On a new server the examples work as they are,
   from top to bottom; on any other, put in the ids and names that you see in the answers.
4. What only administrators may do needs one: `python3 src/create_superuser.py` makes `admin`.

Every refusal has a `detail` and an `error`, one sentence that a person can read. Every list is
ordered and bounded, and a `Link` header leads to its next page.
"""
# The pages load nothing from any other host.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' data: blob:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
ASSETS_URL = "/docs-assets"
# Less of what says nothing here: links, the choice among one media type, OAuth2 scopes and clients.
# On a narrow window an answer's example takes the whole width.
SWAGGER_STYLE = """
<style>
.swagger-ui .info { margin: 24px 0 }
.swagger-ui .info li, .swagger-ui .info p { line-height: 1.7 }
.swagger-ui textarea.body-param__text { min-height: 180px }
.swagger-ui .scheme-container { padding: 12px 0; margin: 0 }
.swagger-ui .response-col_links, .swagger-ui .responses-table th:last-child,
.swagger-ui .response-controls:not(:has(option + option)),
.swagger-ui .scope-def,
.swagger-ui .auth-container .wrapper:has(> label:is([for="password_type"], [for^="client_"])) {
  display: none
}
@media (max-width: 640px) {
  .swagger-ui .responses-table thead { display: none }
  .swagger-ui .responses-table tr.response,
  .swagger-ui .responses-table .response > td:not(.response-col_links) {
    display: block; padding: 4px 0; width: 100%
  }
}
</style>
"""

SWAGGER_PARAMETERS = {
    "persistAuthorization": True,
    "displayRequestDuration": True,
    "showExtensions": False,
    "defaultModelsExpandDepth": 0,
}
REDOC_SCRIPT = f"{ASSETS_URL}/redoc.standalone.js"
REDOC_MARK = "https://cdn.redoc.ly/redoc/logo-mini.svg"


def install_docs(app: FastAPI) -> None:
    """Needs an app whose own `docs_url` and `redoc_url` are off."""
    app.include_router(docs_router)
    app.mount(ASSETS_URL, StaticFiles(directory=_assets()), name="docs-assets")


def _assets() -> Path:
    """The files that the package fastapi-offline carries; its code is not used."""
    return Path(str(files("fastapi_offline"))) / "static"


@lru_cache
def _redoc_script() -> Response:
    """Its maker's mark would be fetched from the maker's host: ours takes its place."""
    script = (_assets() / "redoc.standalone.js").read_text(encoding="utf-8")
    ours = script.replace(REDOC_MARK, f"{ASSETS_URL}/favicon.png")
    return Response(ours, media_type="text/javascript")


def _page(page: HTMLResponse) -> HTMLResponse:
    page.headers.update(PAGE_HEADERS)
    return page


async def _swagger_ui() -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="GopherTalk: Swagger UI",
        oauth2_redirect_url="/docs/oauth2-redirect",
        swagger_js_url=f"{ASSETS_URL}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS_URL}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS_URL}/favicon.png",
        swagger_ui_parameters=SWAGGER_PARAMETERS,
    )
    html = bytes(page.body).decode().replace("</head>", f"{SWAGGER_STYLE}</head>")
    return _page(HTMLResponse(html))


async def _oauth2_redirect() -> HTMLResponse:
    return _page(get_swagger_ui_oauth2_redirect_html())


async def _redoc() -> HTMLResponse:
    return _page(
        get_redoc_html(
            openapi_url="/openapi.json",
            title="GopherTalk: ReDoc",
            redoc_js_url=REDOC_SCRIPT,
            redoc_favicon_url=f"{ASSETS_URL}/favicon.png",
            with_google_fonts=False,
        )
    )


docs_router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
docs_router.get("/docs")(_swagger_ui)
docs_router.get("/docs/oauth2-redirect")(_oauth2_redirect)
docs_router.get("/redoc")(_redoc)
docs_router.get(REDOC_SCRIPT)(_redoc_script)
