"""The code of docs/front-end.md, run in a page of another origin."""

import re

import httpx
import pytest
from pages import FRONT_END

pytestmark = pytest.mark.tools

(FOLLOW,) = FRONT_END.blocks("Live", "js")
# In a function, because the page that it is added to has names of its own.
SCRIPT = f"""
const shown = [];
const followAsDocumented = (() => {{
  const show = (name, data) => shown.push({{ name, data }});
  {FOLLOW}
  return follow;
}})();
"""
PASSWORD = {"password": "gopher1!", "password_confirm": "gopher1!"}
NAMES = {"first_name": "Anna", "last_name": "Petrova"}


@pytest.fixture(scope="module")
def live_settings(page_port):
    return {"ENV_ALLOWED_ORIGINS": f"http://localhost:{page_port}"}


@pytest.fixture
def enter(live_server):
    """Registers: a client with the new member's token."""

    def enter(name):
        new = {"user_name": name, **NAMES, **PASSWORD}
        answer = httpx.post(f"{live_server.url}/api/auth/register", json=new)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx.Client(base_url=live_server.url, headers=headers)

    return enter


@pytest.fixture
def follow(page, page_port, live_server):
    """Follows as a member: a function that waits for so many events, and gives all so far."""

    def follow(member):
        page.goto(f"http://localhost:{page_port}/?api={live_server.url}")
        page.add_script_tag(content=SCRIPT)
        page.evaluate("given => { token = given }", member.headers["Authorization"][7:])
        page.evaluate("async () => { globalThis.stream = await followAsDocumented(); }")
        page.wait_for_function("stream.readyState === EventSource.OPEN")

        def shown(number):
            page.wait_for_function(f"shown.length >= {number}")
            return [(event["name"], event["data"]) for event in page.evaluate("shown")]

        return shown

    return follow


def test_a_page_follows_and_goes_on_after_a_break(enter, follow, page):
    anna, boris = enter("gopher_anna"), enter("gopher_boris")
    shown = follow(anna)
    post = anna.post("/api/posts", json={"text": "Hello"}).json()
    assert shown(1) == [("post", post)]

    boris.post(f"/api/posts/{post['id']}/like")
    told = dict(shown(3)[1:])
    assert told["unread"] == {"count": 1}
    assert told["notification"] == anna.get("/api/notifications").json()[0]

    page.evaluate("stream.onerror()")  # the connection breaks
    missed = anna.post("/api/posts", json={"text": "Hello again"}).json()
    assert shown(4)[3:] == [("post", missed)]
    anna.delete(f"/api/posts/{missed['id']}")
    assert shown(5)[4:] == [("post_deleted", {"id": missed["id"]})]


def test_who_is_logged_out_does_not_follow(enter, follow, page):
    clara = enter("gopher_clara")
    follow(clara)
    clara.post("/api/auth/logout")
    page.wait_for_function("stream.readyState === EventSource.CLOSED")
    assert page.evaluate("followAsDocumented()") is None


def test_the_table_names_the_events_that_are_listened_to():
    in_table = [re.findall(r"`(\w+)`", row[0]) for row in FRONT_END.table("Live")]
    listened = re.search(r"of \[(.*)\]", FOLLOW)[1]
    assert re.findall(r"'(\w+)'", listened) == [name for names in in_table for name in names]
