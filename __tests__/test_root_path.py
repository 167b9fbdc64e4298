"""Under ROOT_PATH, a path of a proxy, which passes it on or takes it away: every address that the
server gives out carries it."""

import re
from urllib.parse import urljoin

import httpx
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def live_settings():
    return {"ROOT_PATH": "/talk/"}


@pytest.fixture(params=["/talk", ""], ids=["passed on", "taken away"])
def proxy(request, live_server):
    """What a client outside asks for under /talk, as the proxy hands it on."""
    with httpx.Client(base_url=live_server.url) as web:

        def ask(method, path, **more):
            assert path.startswith("/talk")
            return web.request(method, path.replace("/talk", request.param, 1) or "/", **more)

        yield ask


def test_the_documentation_and_all_that_it_loads(proxy):
    for start in ("/talk", "/talk/"):
        assert proxy("GET", start).headers["Location"] == "/talk/docs"
    for page in ("/talk/docs", "/talk/redoc"):
        html = proxy("GET", page).text
        for file in re.findall(r"""(?:src|href|spec-url|url:) ?=?['"](/[^'"]*)['"]""", html):
            assert proxy("GET", file).status_code == 200
    document = proxy("GET", "/talk/openapi.json").json()
    assert document["servers"] == [{"url": "/talk"}]
    (scheme,) = document["components"]["securitySchemes"].values()
    assert proxy("POST", scheme["flows"]["password"]["tokenUrl"]).status_code == 422


def test_the_next_page(proxy):
    names = {"first_name": "Anna", "last_name": "Petrova"}
    user = {
        "user_name": f"anna_{id(proxy)}",
        "password": "gopher1!",
        "password_confirm": "gopher1!",
    }
    token = proxy("POST", "/talk/api/auth/register", json=user | names).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    for text in ("one", "two"):
        assert proxy("POST", "/talk/api/posts", json={"text": text}, headers=headers).is_success
    first = proxy("GET", "/talk/api/posts/?limit=1", headers=headers)
    second = urljoin("/talk/api/posts", first.links["next"]["url"])
    assert second.startswith("/talk/api/posts?")
    assert first.headers["Cache-Control"] == "no-store"
    assert [post["text"] for post in proxy("GET", second, headers=headers).json()] == ["one"]


def test_what_is_not_there_is_told_as_ever(proxy, live_server):
    assert proxy("GET", "/talk/nowhere").status_code == 404
    refused = proxy("PUT", "/talk/api/posts")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert httpx.get(f"{live_server.url}/talkative").status_code == 404
