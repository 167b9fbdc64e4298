"""Every list of the API: its `Link` leads to the next page as long as there is one."""

from operations import BY_NAME, OPERATIONS

from repositories.sql import execute


def twice(operation_id):
    return lambda world, url: [world.good(operation_id, world.root) for _ in range(2)]


def each_of(*operation_ids):
    return lambda world, url: [world.good(name, world.root) for name in operation_ids]


def to_two_others(what):
    """The superuser does this to Anna and Boris."""
    return lambda world, url: [
        {"method": "POST", "url": f"/api/users/{other.id}/{what}", "headers": world.root.headers}
        for other in (world.anna, world.new_person("gopher_boris"))
    ]


def followers(world, url):
    """Anna and Boris follow the superuser."""
    path = f"/api/users/{world.root.id}/follow"
    others = (world.anna, world.new_person("gopher_boris"))
    return [{"method": "POST", "url": path, "headers": other.headers} for other in others]


def logins(world, url):
    body = {"user_name": world.root.user_name, "password": world.root.password}
    return [{"method": "POST", "url": "/api/auth/login", "json": body}] * 2


def edits(world, url):
    request = {"method": "PATCH", "url": url.removesuffix("/history")}
    texts = ({"text": "Hello again"}, {"text": "Hello once more"})
    return [{**request, "json": text, "headers": world.root.headers} for text in texts]


def reports(world, url):
    """Two people report the superuser."""
    about = {"user_id": world.root.id, "reason": "spam"}
    others = (world.anna, world.new_person("gopher_boris"))
    return [
        {"method": "POST", "url": url, "json": about, "headers": other.headers} for other in others
    ]


# The requests that make two rows in a list of the superuser, where no POST on its path does.
FILLED_BY = {
    "get_audit_log": each_of("create_role", "create_user"),
    "get_blocks": to_two_others("block"),
    "get_followers": followers,
    "get_following": to_two_others("follow"),
    "get_mutes": to_two_others("mute"),
    "get_notifications": followers,
    "get_orders_of_user": twice("create_order"),
    "get_post_history": edits,
    "get_reports": reports,
    "get_sessions": logins,
}
LISTS = [name for name, each in OPERATIONS.items() if "limit" in each.parameters("query")]


def test_a_link_leads_to_what_is_left_and_no_page_is_empty(client, new_world, subtests):
    for name in LISTS:
        with subtests.test(name):
            world, operation = new_world(), OPERATIONS[name]
            asked = world.good(name, world.root)
            maker = BY_NAME.get(f"POST {operation.path}")
            how_to_fill = f"add {name} to FILLED_BY in {__file__}"
            assert maker or name in FILLED_BY, how_to_fill
            fill = FILLED_BY.get(name) or twice(maker.id)
            for request in fill(world, asked["url"]):
                client.request(**request)

            def page(limit, asked=asked):
                return client.request(**asked, params={"limit": limit})

            rows = page(100).json()
            assert len(rows) >= 2, how_to_fill
            assert "Link" not in page(len(rows)).headers
            link = page(len(rows) - 1).headers["Link"]
            rest = client.get(link[1:].partition(">")[0], headers=asked["headers"])
            assert rest.json() == rows[-1:]
            assert "Link" not in rest.headers


def test_the_feed_is_bounded_by_its_longest_page(client, new_world):
    """Of a hundred posts, and the one behind them."""
    world = new_world()
    execute("INSERT INTO posts (text, user_id) SELECT n::text, 1 FROM generate_series(1, 99) n")
    first = client.get("/api/posts?limit=100", headers=world.anna.headers)
    client.request(**world.good("create_post"))
    second = client.get("/api/posts?limit=100", headers=world.anna.headers)

    assert (len(first.json()), "Link" in first.headers) == (100, False)
    assert (len(second.json()), "Link" in second.headers) == (100, True)
