"""Swagger UI and ReDoc as somebody uses them who has never seen GopherTalk."""

import json

import pytest

pytestmark = pytest.mark.tools


@pytest.fixture
def swagger(live_server, page):
    page.goto(f"{live_server.url}/docs")
    page.wait_for_selector(".opblock")
    return page


def execute(page, operation, example=None):
    """Opens an operation and tries its example, the named one or the first; gives the answer."""
    block = page.locator(f"[id$='-{operation}']")
    block.locator(".opblock-summary-control").click()
    block.locator("button.try-out__btn").wait_for()  # it says "Cancel" when it was pressed before
    if block.get_by_role("button", name="Try it out").count():
        block.get_by_role("button", name="Try it out").click()
    if example:
        block.locator(".examples-select select").select_option(example)
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table tbody .response").first
    status = answer.locator(".response-col_status").inner_text()
    body = answer.locator(".highlight-code pre").first.inner_text()
    block.locator(".opblock-summary-control").click()
    return int(status.split()[0]), body


def authorize(page, user_name, password):
    page.locator("button.authorize").first.click()
    page.locator("#oauth_username").fill(user_name)
    page.locator("#oauth_password").fill(password)
    page.locator(".modal-ux button.authorize").click()
    page.locator(".modal-ux").get_by_text("Logout").wait_for()
    page.locator(".modal-ux button.btn-done").click()


def test_a_first_visit_without_internet(swagger):
    """The examples are sent as they stand."""
    status, body = execute(swagger, "register")
    assert (status, json.loads(body).keys()) == (201, {"access_token", "refresh_token"})
    assert execute(swagger, "get_me")[0] == 401
    authorize(swagger, "gopher_anna", "gopher1!")
    assert execute(swagger, "create_post")[0] == 201
    assert execute(swagger, "create_post", example="A reply to post 1")[0] == 201
    assert execute(swagger, "like_post")[0] == 201
    status, body = execute(swagger, "get_posts")
    [post] = json.loads(body)
    assert (status, post["text"], post["likes_count"]) == (200, "Hello, gophers!", 1)
    assert (post["user"]["user_name"], post["replies_count"]) == ("gopher_anna", 1)
    swagger.reload()
    assert execute(swagger, "get_me")[0] == 200, "the login did not survive"


def test_a_browser_that_holds_the_cookie_sees_no_difference(swagger):
    """It sends the cookie of a page of this machine to /docs, too."""
    enter = """async () => {
      const headers = { 'Content-Type': 'application/json', 'X-Token-Mode': 'cookie' };
      const anna = { user_name: 'gopher_anna', password: 'gopher1!' };
      const more = { password_confirm: 'gopher1!', first_name: 'Anna', last_name: 'Petrova' };
      const post = (path, body) =>
        fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
      await post('/api/auth/register', { ...anna, ...more });  // if she is not there yet
      return (await post('/api/auth/login', anna)).status;
    }"""
    assert swagger.evaluate(enter) == 200
    [cookie] = swagger.context.cookies()
    authorize(swagger, "gopher_anna", "gopher1!")
    assert execute(swagger, "get_me")[0] == 200
    status, body = execute(swagger, "login")
    assert (status, json.loads(body).keys()) == (200, {"access_token", "refresh_token"})
    assert swagger.context.cookies() == [cookie]


def test_the_chapters_stand_in_the_order_of_a_first_visit(swagger):
    document = swagger.request.get(swagger.url.partition("/docs")[0] + "/openapi.json")
    titles = swagger.locator(".opblock-tag").evaluate_all("all => all.map(e => e.dataset.tag)")
    assert titles == [tag["name"] for tag in document.json()["tags"]]


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_stands_beside_the_window(swagger, width):
    swagger.set_viewport_size({"width": width, "height": 900})
    swagger.locator("[id$='-create_post'] .opblock-summary-control").click()
    swagger.locator("[id$='-create_post'] .responses-table").wait_for()
    assert swagger.evaluate("document.documentElement.scrollWidth") <= width


def test_redoc_shows_every_operation_without_internet(live_server, page):
    page.goto(f"{live_server.url}/redoc")
    page.get_by_role("heading", name="Create an account").first.wait_for()
    names = page.request.get(f"{live_server.url}/openapi.json").json()["paths"].values()
    summaries = {operation["summary"] for path in names for operation in path.values()}
    assert summaries <= set(page.locator("h2").all_inner_texts())
