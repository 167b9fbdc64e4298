"""The refresh token in a cookie, for a page of another origin of this machine, in a real browser.

Cookies know no ports: a page on another port of `localhost` is of the same site, and `SameSite`
does not keep it out.
"""

import pytest

pytestmark = pytest.mark.tools

REFRESH = "/api/auth/refresh"
ANNA = {
    **{"user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"},
    **{"password": "gopher1!", "password_confirm": "gopher1!"},
}
LOGIN = {name: ANNA[name] for name in ("user_name", "password")}


@pytest.fixture(scope="module")
def live_settings(page_port):
    limits = dict.fromkeys(("RATE_LIMIT_LOGIN", "RATE_LIMIT_LOGIN_ADDRESS"), "off")
    return {"ENV_ALLOWED_ORIGINS": f"http://localhost:{page_port}", **limits}


@pytest.fixture(scope="module")
def api(live_server):
    return live_server.url.replace("127.0.0.1", "localhost")


class Application:
    """The single page in the cookie mode."""

    def __init__(self, page, url, credentials="include"):
        page.goto(url)
        page.evaluate(f"tokenMode = 'cookie'; credentials = '{credentials}'")
        self.page = page

    def call(self, method, path, body=None):
        answer = self.page.evaluate("([...all]) => call(...all)", [method, path, body])
        token = (answer["data"] or {}).get("access_token")
        if token:
            self.page.evaluate("given => { token = given }", token)
        return answer

    def refresh(self):
        return self.call("POST", REFRESH)["status"]


@pytest.fixture
def opened(page, page_port, api):
    """Opens the application: it has forgotten everything but the cookie."""
    return lambda **how: Application(page, f"http://localhost:{page_port}/?api={api}", **how)


@pytest.fixture
def cookie(page):
    """The one that the browser holds; None without one."""

    def cookie():
        found = page.context.cookies()
        assert all(each["httpOnly"] and each["sameSite"] == "Strict" for each in found)
        assert {each["path"] for each in found} <= {"/api/auth"}
        return found[0]["value"] if found else None

    return cookie


@pytest.fixture
def anna(opened):
    """The application, in which Anna has just logged in."""
    application = opened()
    if application.call("POST", "/api/auth/login", LOGIN)["status"] == 401:
        assert application.call("POST", "/api/auth/register", ANNA)["status"] == 201
    return application


@pytest.fixture
def submit(page):
    """Sends a form from a page, as its visitor would by a click: the answer."""

    def submit(page_url, target, **fields):
        page.goto(page_url)
        with page.expect_navigation() as navigation:
            page.evaluate(
                """([action, fields]) => {
                  const form = document.createElement('form');
                  Object.assign(form, { action, method: 'POST', enctype: 'text/plain' });
                  for (const [name, value] of Object.entries(fields))
                    form.append(Object.assign(document.createElement('input'), { name, value }));
                  document.body.append(form);
                  form.submit();
                }""",
                [target, fields],
            )
        return navigation.value

    return submit


def test_a_page_that_is_loaded_again_goes_on(anna, opened, cookie):
    first = cookie()
    reloaded = opened()
    assert reloaded.call("GET", "/api/users/me")["status"] == 401
    answer = reloaded.call("POST", REFRESH)
    assert (answer["status"], answer["data"].keys()) == (200, {"access_token"})
    assert reloaded.call("GET", "/api/users/me")["status"] == 200
    assert cookie() not in (None, first)


def test_no_script_can_read_it(anna, page, page_port, cookie):
    assert cookie()
    page.goto(f"http://localhost:{page_port}{REFRESH}")  # a page under the cookie's path
    assert page.evaluate("document.cookie") == ""


def test_without_credentials_it_does_not_come_and_is_not_kept(anna, opened, cookie):
    held = cookie()
    careless = opened(credentials="omit")
    answer = careless.call("POST", REFRESH)
    assert (answer["status"], answer["headers"]["x-error-code"]) == (401, "invalid_refresh_token")
    assert careless.call("POST", "/api/auth/login", LOGIN)["status"] == 200
    assert cookie() == held
    assert opened().refresh() == 200


def test_a_logout_takes_it_back(anna, opened, cookie):
    assert anna.call("POST", "/api/auth/logout")["status"] == 204
    assert cookie() is None
    assert opened().refresh() == 401


def test_both_modes_beside_each_other(anna, page, cookie):
    """One page keeps the pair of one session itself, and the browser the token of another."""
    held = cookie()
    page.evaluate("tokenMode = null; credentials = 'same-origin'")
    pair = anna.call("POST", "/api/auth/login", LOGIN)["data"]
    renewed = anna.call("POST", REFRESH, {"refresh_token": pair["refresh_token"]})["data"]
    assert renewed.keys() == {"access_token", "refresh_token"}
    assert anna.call("POST", "/api/auth/logout")["status"] == 204
    assert cookie() == held
    page.evaluate("tokenMode = 'cookie'; credentials = 'include'")
    assert anna.refresh() == 200
    assert anna.call("GET", "/api/users/me")["status"] == 200


class TestForged:
    """By a page that is not allowed, while the browser holds Anna's cookie."""

    @pytest.fixture(params=["localhost", "127.0.0.1"], ids=["same site", "another site"])
    def evil(self, request, other_port):
        return f"http://{request.param}:{other_port}/"

    @pytest.fixture
    def other_port(self, serve_single_page):
        with serve_single_page() as port:
            yield port

    @pytest.fixture(autouse=True)
    def nothing_was_spent(self, anna, opened, cookie, evil):
        held = cookie()
        yield
        assert cookie() == held
        assert opened().refresh() == 200

    def test_a_form_is_refused(self, evil, submit, api):
        """No form can send a header."""
        answer = submit(evil, f"{api}{REFRESH}")
        assert answer.status == 422
        answer = submit(evil, f"{api}{REFRESH}", **{"X-Token-Mode": "cookie"})
        assert answer.status == 422

    def test_a_forged_logout_is_refused(self, evil, submit, api):
        assert submit(evil, f"{api}/api/auth/logout").status == 401

    def test_a_script_is_refused(self, evil, page, api):
        application = Application(page, f"{evil}?api={api}")
        with pytest.raises(Exception, match="Failed to fetch"):
            application.refresh()

    def test_a_script_that_does_not_ask_sends_no_header(self, evil, page, api):
        """Without a preflight the browser leaves the header out."""
        page.goto(evil)
        with page.expect_response(f"**{REFRESH}") as response:
            page.evaluate(
                """url => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include',
                                       headers: { 'X-Token-Mode': 'cookie' } }).then(() => 0)""",
                f"{api}{REFRESH}",
            )
        assert response.value.status == 422
