"""What somebody tries who has read the API: more requests than allowed, fields that are not
theirs, questions whose answers give others away, and words that a database might obey."""

from itertools import count

import pytest
from fastapi.testclient import TestClient
from operations import OPERATIONS
from shop import settings_with

from app import app
from dto.fields import MAX_ID
from repositories.sql import execute

numbers = count(1)


@pytest.fixture
def client_at(db):
    """Clients at an address that nobody else has used up."""
    number = next(numbers)
    own = f"198.20.{number // 250}.{number % 250 + 1}"

    def at(address=own):
        return TestClient(app, raise_server_exceptions=False, client=(address, 50000))

    return at


def log_in(client, headers=(), name="gopher_anna"):
    body = {"user_name": name, "password": "wrong-1!"}
    return client.post("/api/auth/login", json=body, headers=dict(headers)).status_code


class TestNoWayAroundTheLoginLimit:
    """Five a minute for a name and an address: the sixth is refused, however it is sent."""

    @pytest.mark.parametrize(
        "name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP"]
    )
    def test_without_a_proxy_no_header_makes_another_client(self, client_at, name):
        client = client_at()
        tried = [log_in(client, {name: f"203.0.113.{number}"}) for number in range(6)]

        assert tried == [401] * 5 + [429]

    @pytest.mark.parametrize(
        "forged",
        [
            "203.0.113.{n}, {real}",
            "203.0.113.{n},,,{real}",
            "{n}, 203.0.113.1, {real}",
            "'; DROP TABLE users; --{n}, {real}",
            "203.0.113.{n}, {real}, 198.20.200.1",
            "::ffff:203.0.113.{n}, ::ffff:{real}",
        ],
    )
    def test_behind_a_proxy_only_its_own_word_counts(self, client_at, forged):
        """It adds the client's address at the end; what stands before is the client's own."""
        client = client_at("198.20.200.1")
        real = f"192.0.2.{next(numbers)}"
        with settings_with(TRUSTED_PROXIES="198.20.200.1"):
            tried = [
                log_in(client, {"X-Forwarded-For": forged.format(n=number, real=real)})
                for number in range(6)
            ]

        assert tried == [401] * 5 + [429]

    def test_nor_does_a_line_of_ones_own_before_the_proxys(self, client_at):
        client = client_at("198.20.200.2")
        statuses = []
        with settings_with(TRUSTED_PROXIES="198.20.200.2"):
            for number in range(6):
                lines = [
                    ("X-Forwarded-For", f"203.0.113.{number}"),
                    ("X-Forwarded-For", "192.0.2.250"),
                ]
                body = {"user_name": "gopher_anna", "password": "wrong-1!"}
                answer = client.post("/api/auth/login", json=body, headers=lines)
                statuses.append(answer.status_code)

        assert statuses == [401] * 5 + [429]

    def test_an_ipv6_subscriber_is_one_client(self, client_at):
        tried = [log_in(client_at(f"2001:db8:77:1:{number:x}::1")) for number in range(6)]

        assert tried == [401] * 5 + [429]

    @pytest.mark.parametrize(
        "body",
        [
            b'{"user_name": "decoy_%d", "user_name": "gopher_anna", "password": "wrong-1!"}',
            b'{"user_name": "gopher_anna", "password": "wrong-%d!"}',
            b'{"password": "wrong-%d!", "user_name": "gopher_\\u0061nna"}',
        ],
    )
    def test_a_name_is_the_same_however_it_is_spelt(self, client_at, body):
        client = client_at()
        headers = {"Content-Type": "application/json"}
        tried = [
            client.post("/api/auth/login", content=body % number, headers=headers).status_code
            for number in range(6)
        ]

        assert tried == [401] * 5 + [429]

    @pytest.mark.parametrize(
        "form",
        [
            "username=decoy_{n}&username=gopher_anna&password=wrong-1!",
            "username=gopher_anna&password=wrong-1!&x={n}",
            "username=gopher_%61nna&password=wrong-{n}!",
        ],
    )
    def test_so_it_is_in_a_form(self, client_at, form):
        client = client_at()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        tried = [
            client.post("/api/login/access-token", content=form.format(n=n), headers=headers)
            for n in range(6)
        ]

        assert [answer.status_code for answer in tried] == [401] * 5 + [429]

    def test_what_is_refused_counts_too(self, client_at):
        """Else one could go on until a try happens to come through."""
        client = client_at()
        assert [log_in(client) for _ in range(8)] == [401] * 5 + [429] * 3


class TestNobodyIsGivenAway:
    def told(self, answers):
        volatile = {"x-request-id", "x-process-time-ms", "ratelimit", "ratelimit-policy"}
        return {
            (
                answer.status_code,
                answer.content,
                frozenset((k, v) for k, v in answer.headers.items() if k not in volatile),
            )
            for answer in answers
        }

    def test_by_a_change_that_is_not_allowed(self, client, anna, boris, person):
        gone = person("gopher_gone", status=0)
        for method, end in (("PATCH", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/roles")):
            answers = [
                client.request(
                    method,
                    f"/api/users/{user_id}{end}",
                    headers=anna.headers,
                    **({"json": {"first_name": "A"}} if method in ("PUT", "PATCH") else {}),
                )
                for user_id in (boris.id, gone.id, 999_999)
            ]
            assert len(self.told(answers)) == 1, method
            assert answers[0].status_code == 403

    def test_by_a_login(self, client_at, anna, person):
        person("gopher_gone", status=0)
        client = client_at()
        names = ["gopher_anna", "gopher_gone", "gopher_nobody", "", "x", "' OR 1=1 --", "ANNA"]
        answers = [
            client.post("/api/auth/login", json={"user_name": name, "password": "wrong-1!"})
            for name in names
        ]
        assert len(self.told(answers)) == 1

    def test_by_a_code_for_a_password(self, client, register):
        register("gopher_carl", email="carl@example.org")
        known, unknown = (
            client.post("/api/auth/password/forgot", json={"email": email})
            for email in ("carl@example.org", "nobody@example.org")
        )
        assert len(self.told([known, unknown])) == 1

    def test_by_somebodys_session(self, client, anna, boris):
        [session] = client.get("/api/auth/sessions", headers=boris.headers).json()
        answers = [
            client.delete(f"/api/auth/sessions/{each}", headers=anna.headers)
            for each in (session["id"], "00000000-0000-4000-8000-000000000000")
        ]
        assert len(self.told(answers)) == 1
        assert client.get("/api/users/me", headers=boris.headers).status_code == 200


METACHARACTERS = [
    *("%", "_", "\\", "\\%", "%%", "__", "\\\\", "'", "''", '"', "`", ";", "--", "/*", "*/", "$1"),
    *(
        "%s",
        "%(a)s",
        "{}",
        "{0}",
        ":a",
        "?",
        "E'\\x41'",
        "'; DROP TABLE posts; --",
        "$$;$$",
        "\\x27",
    ),
    *("' OR '1'='1", "') OR TRUE --", "1; SELECT pg_sleep(9)", "||", "\u02bc", "\uff07", "\u2019"),
    *("a\nb", "\t", "\u202e", "\u200b", "q\u0301", "ß", "İ", "ǆ", "👩‍👩‍👧", "\ufeff", "\U0010ffff"),
]


class TestMetacharactersAreText:
    def test_in_posts_and_their_search(self, client, anna, subtests):
        def write(content):
            body = {"text": content}
            return client.post("/api/posts", json=body, headers=anna.headers).json()

        for text in METACHARACTERS:
            with subtests.test(text):
                execute("DELETE FROM posts")
                other, post = write("other words x1z"), write(f"x{text}z")
                path = f"/api/posts/{post['id']}"
                assert client.get(path, headers=anna.headers).json()["text"] == f"x{text}z"
                for search in (f"x{text}z", text):
                    for more in ({}, {"owner_id": anna.id}, {"offset": 0}):
                        query = {"search": search, **more}
                        answer = client.get("/api/posts", params=query, headers=anna.headers)
                        found = [each["id"] for each in answer.json()]
                        assert found == [post["id"]] != [other["id"]], query

    def test_in_what_an_administrator_names(self, client, person, subtests):
        root = person("gopher_root", is_superuser=True)
        for text in METACHARACTERS:
            with subtests.test(text):
                execute("DELETE FROM roles WHERE NOT is_builtin")
                self.check_names(client, root, text)

    def check_names(self, client, root, text):
        def post(path, **body):
            return client.post(f"/api/{path}", json=body, headers=root.headers)

        product = post("products", name=f"x{text}", price="1.00").json()
        assert client.get(f"/api/products/{product['id']}").json()["name"] == f"x{text}"
        role = post("roles", name="baker", description=text).json()
        assert role["description"] == text
        assert post("roles", name=f"x-{text}").status_code == 422
        assert post("permissions", resource="post", action=f"x-{text}").status_code == 422
        for path, field in (
            (f"roles/{role['id']}/permissions", "permissions"),
            (f"users/{root.id}/roles", "roles"),
        ):
            body = {field: [f"x{text}"]}
            answer = client.put(f"/api/{path}", json=body, headers=root.headers)
            assert answer.status_code == 404

    def test_in_names_and_addresses(self, client, person, subtests):
        root = person("gopher_root", is_superuser=True)
        for text in METACHARACTERS:
            with subtests.test(text):
                self.check_profile(client, root, text)

    def check_profile(self, client, root, text):
        path = f"/api/users/{root.id}"
        answer = client.patch(path, json={"user_name": f"gopher-{text}"}, headers=root.headers)
        assert answer.status_code == 422
        for field in ("first_name", "email"):
            answer = client.patch(path, json={field: f"1{text}"}, headers=root.headers)
            assert answer.status_code == 422
        login = {"user_name": text, "password": text}
        assert client.post("/api/auth/login", json=login).status_code == 401
        assert client.post("/api/auth/refresh", json={"refresh_token": text}).status_code == 401
        reset = {"token": text, "password": "gopher2!", "password_confirm": "gopher2!"}
        assert client.post("/api/auth/password/reset", json=reset).status_code == 401


class TestCost:
    def test_a_page_has_a_hundred_rows_at_most_and_no_page_is_too_far(
        self, client, person, subtests
    ):
        root = person("gopher_root", is_superuser=True)
        post = client.post("/api/posts", json={"text": "Hello"}, headers=root.headers).json()
        pages = [each for each in OPERATIONS.values() if "limit" in each.parameters("query")]
        for operation in pages:
            with subtests.test(operation.id):
                path = operation.path.format(user_id=root.id, post_id=post["id"])
                queries = {"limit=100": 200, "limit=101": 422}
                if "offset" in operation.parameters("query"):
                    queries |= {f"limit=100&offset={2**31 - 1}": 200, f"offset={2**31}": 422}
                for query, status in queries.items():
                    answer = client.get(f"{path}?{query}", headers=root.headers)
                    assert answer.status_code == status, query

    def test_a_search_is_as_long_as_a_post(self, client, anna):
        client.post("/api/posts", json={"text": "%_" * 140}, headers=anna.headers)
        for search in ("%" * 280, "_" * 280, "\\" * 280, "%_" * 140, "a%" * 140):
            answer = client.get("/api/posts", params={"search": search}, headers=anna.headers)
            assert answer.status_code == 200
            assert len(answer.json()) == (search == "%_" * 140)

    def test_the_largest_id_is_only_not_there(self, client, person):
        root = person("gopher_root", is_superuser=True)
        for path in ("posts", "users", "products", "orders/user"):
            answer = client.get(f"/api/{path}/{MAX_ID}", headers=root.headers)
            assert answer.status_code == 404
