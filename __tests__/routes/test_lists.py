"""Every list of the API: its `Link` leads to the next page as long as there is one."""

from operations import BY_NAME, OPERATIONS

from repositories.sql import execute

LISTS = [name for name, each in OPERATIONS.items() if "limit" in each.parameters("query")]


def test_a_link_leads_to_what_is_left_and_no_page_is_empty(client, new_world, subtests):
    for name in LISTS:
        with subtests.test(name):
            world, operation = new_world(), OPERATIONS[name]
            asked = world.good(name, world.root)
            if maker := BY_NAME.get(f"POST {operation.path}"):
                for _ in range(2):  # some lists are empty by themselves
                    client.request(**world.good(maker.id, world.root))

            def page(limit, asked=asked):
                return client.request(**asked, params={"limit": limit})

            rows = page(100).json()
            assert "Link" not in page(max(len(rows), 1)).headers
            if len(rows) > 1:
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
