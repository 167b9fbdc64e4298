"""Whatever is sent: a refusal with both fields, never a fault of ours, never what was sent.

The client in the conftest checks the shape of every answer; here it is who is refused, and how.
"""

import json

import pytest

SECRET = "Sesame99!"
JSON = {"Content-Type": "application/json"}
# Of each endpoint with a body: the field that is spoilt, beside a valid rest.
ENDPOINTS = {
    "register": ("POST", "/api/auth/register", "first_name"),
    "login": ("POST", "/api/auth/login", "user_name"),
    "refresh": ("POST", "/api/auth/refresh", "refresh_token"),
    "post": ("POST", "/api/posts", "text"),
    "patch": ("PATCH", "/api/users/{id}", "last_name"),
    "put": ("PUT", "/api/users/{id}", "middle_name"),
}
VALUES = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "1e400": b"1e400",
    "a number": b"1",
    "5,000 digits": b"9" * 5000,
    "2**63": b"9223372036854775808",
    "true": b"true",
    "an array": b'["a"]',
    "an object": b'{"a": 1}',
    "NUL": rb'"a\u0000b"',
    "a raw NUL": b'"a\0b"',
    "a raw line end": b'"a\nb"',
    "half a surrogate pair": rb'"\ud800"',
    "the other half": rb'"a\udc00"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "invalid UTF-8": b'"\xff\xfe"',
    "overlong UTF-8": b'"\xc0\x80"',
    "cut UTF-8": b'"\xd0"',
    "30,000 arrays": b"[" * 30_000,
    "15,000 closed arrays": b"[" * 15_000 + b"]" * 15_000,
    "10,000 objects": b'{"a":' * 10_000,
    "10,000 closed objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "nothing": b"",
}
BODIES = {
    "nothing": b"",
    "a blank": b" ",
    "an array": b"[]",
    "a text": b'"text"',
    "a number": b"1",
    "null": b"null",
    "NaN": b"NaN",
    "a cut object": b'{"text": "a"',
    "two objects": b"{}{}",
    "single quotes": b"{'text': 'a'}",
    "bytes": bytes(range(256)),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "a form": b"text=a&user_name=gopher_anna",
    "half a surrogate pair as key": rb'{"\ud800": 1}',
    "NUL as key": rb'{"\u0000": 1}',
    "an empty key": b'{"": 1}',
    "a long key": b'{"' + b"k" * 60_000 + b'": 1}',
    "__proto__": b'{"__proto__": {"is_superuser": true}}',
    "__class__": b'{"__class__": 1, "model_config": 2}',
}
CONTENT_TYPES = [None, "text/plain", "application/xml", "multipart/form-data", "json", "", "\xff"]


@pytest.fixture
def send(client, anna):
    """Send bytes to an endpoint."""

    def send(endpoint, content, headers=JSON):
        method, path, _ = ENDPOINTS[endpoint]
        headers = headers | anna.headers
        return client.request(method, path.format(id=anna.id), content=content, headers=headers)

    return send


def statuses(answers):
    return {endpoint: answer.status_code for endpoint, answer in answers.items()}


def spoilt(endpoint, value):
    """A body with this JSON in the endpoint's field, and a password beside it."""
    fields = {
        "register": {
            "user_name": "gopher_carl",
            "password": SECRET,
            "password_confirm": SECRET,
            "first_name": "A",
            "last_name": "B",
        },
        "login": {"user_name": "gopher_anna", "password": SECRET},
        "refresh": {},
        "post": {},
        "patch": {"password": SECRET, "current_password": SECRET},
        "put": {"password": SECRET, "password_confirm": SECRET},
    }[endpoint]
    field = ENDPOINTS[endpoint][2]
    rest = "".join(f", {json.dumps(k)}: {json.dumps(v)}" for k, v in fields.items() if k != field)
    return b'{"%s": %s%s}' % (field.encode(), value, rest.encode())


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_body_is_fine_before_it_is_spoilt(send, endpoint):
    assert send(endpoint, spoilt(endpoint, b'"abcdef"')).status_code != 422


@pytest.mark.parametrize("value", VALUES)
def test_a_bad_value_is_422_everywhere_and_not_echoed(send, value):
    answers = {each: send(each, spoilt(each, VALUES[value])) for each in ENDPOINTS}

    assert statuses(answers) == dict.fromkeys(ENDPOINTS, 422)
    assert not [each for each, answer in answers.items() if SECRET in answer.text]
    assert max(len(answer.content) for answer in answers.values()) < 2000


@pytest.mark.parametrize("body", BODIES)
def test_a_bad_body_is_422_everywhere(send, body):
    answers = {each: send(each, BODIES[body]) for each in ENDPOINTS}

    assert statuses(answers) == dict.fromkeys(ENDPOINTS, 422)
    assert max(len(answer.content) for answer in answers.values()) < 3000


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_json_must_say_that_it_is(send, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type.encode("latin-1")}
    answers = {each: send(each, spoilt(each, b'"abcdef"'), headers) for each in ENDPOINTS}

    assert statuses(answers) == dict.fromkeys(ENDPOINTS, 422)
    assert not [each for each, answer in answers.items() if SECRET in answer.text]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_64_kib_is_read_and_one_more_byte_is_413_also_in_pieces(send, chunked):
    def answers(size):
        bodies = {each: spoilt(each, b"1").ljust(size) for each in ENDPOINTS}
        return {
            each: send(each, iter([body[:40_000], body[40_000:]]) if chunked else body)
            for each, body in bodies.items()
        }

    assert statuses(answers(65536)) == dict.fromkeys(ENDPOINTS, 422)
    assert statuses(answers(65537)) == dict.fromkeys(ENDPOINTS, 413)


@pytest.mark.parametrize(
    "parent",
    ["9007199254740992", "1e400", "-1", "1.5", "1e-3", "NaN", '"1"', "true", "[1]", "9" * 5000],
)
def test_a_number_that_is_no_id_is_422(send, parent):
    response = send("post", f'{{"text": "a", "reply_to_id": {parent}}}'.encode())

    assert response.status_code == 422
    assert parent not in response.text or len(parent) < 6


@pytest.mark.parametrize("number", ["1", "1.0", "1e0", "0.1e1"])
def test_a_whole_number_is_one_however_it_is_spelt(send, write, anna, number):
    assert write(anna) == 1
    response = send("post", f'{{"text": "a", "reply_to_id": {number}}}'.encode())

    assert (response.status_code, response.json()["reply_to_id"]) == (201, 1)


def test_of_two_equal_keys_the_last_counts_and_is_checked(send):
    assert send("post", b'{"text": "", "text": "b"}').json()["text"] == "b"
    assert send("post", b'{"text": "a", "text": ""}').status_code == 422


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"username=gopher_anna&password=%00", 422),
        (b"username=%ff%fe&password=Sesame99!", (401, 422)),
        (b"username=%ed%a0%80&password=Sesame99!", (401, 422)),
        (b"username=gopher_anna&password=" + b"x" * 257, 422),
        (b"username=a&username=b&password=Sesame99!", (401, 422)),
        (b"&".join([b"a=1"] * 5000), 422),
        (b"=", 422),
        (b"\xff\x00", 422),
        (b"username=a&password=Sesame99!&grant_type=%00", 422),
    ],
)
def test_a_hostile_form_is_refused(client, anna, content, status):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = client.post("/api/login/access-token", content=content, headers=headers)

    assert response.status_code in (status if isinstance(status, tuple) else (status,))
    assert SECRET not in response.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--x",
        b"--x\r\n\r\n\r\n--x--",
        b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\na\r\n',
        b'--x\r\nContent-Disposition: form-data; name="username"; filename="a"\r\n\r\na\r\n--x--',
    ],
)
@pytest.mark.parametrize("boundary", ["; boundary=x", "; boundary=", ""])
def test_so_is_a_hostile_multipart_form(client, content, boundary):
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    response = client.post("/api/login/access-token", content=content, headers=headers)

    assert response.status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=0",
        "limit=101",
        "limit=1e1",
        "limit=%201",
        "limit=1_0",
        "limit=NaN",
        "limit=%D9%A1",
        "limit=%ff",
        "limit=" + "9" * 5000,
        "limit=10&limit=101",
        "offset=-1",
        f"offset={2**31}",
        f"offset={2**63}",
        "offset=9" + "0" * 400,
        "offset=%00",
    ],
)
def test_a_page_that_cannot_be_is_422(client, anna, query):
    for path in ("/api/posts", "/api/users", "/api/auth/sessions"):
        response = client.get(f"{path}?{query}", headers=anna.headers)
        assert response.status_code == 422, path
        assert "9" * 100 not in response.text


@pytest.mark.parametrize(
    "query",
    [
        "search=%00",
        "search=a%00b",
        "search=%ff",
        "search=%ed%a0%80",
        "search=" + "x" * 281,
        f"owner_id={2**53}",
        f"reply_to_id={2**53}",
        "owner_id=1%00",
        "owner_id=' OR 1=1 --",
        "reply_to_id=%ff",
        "cursor=%00",
        "cursor=' OR 1=1 --",
        "cursor=%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff",
        "cursor=AAAAAAAAAAA%0A",
    ],
)
def test_a_filter_that_cannot_be_is_422(client, anna, query):
    assert client.get(f"/api/posts?{query}", headers=anna.headers).status_code == 422


@pytest.mark.parametrize(
    "part",
    ["%ff", "%00", "%ed%a0%80", "%C0%80", "1%00", "%27%20OR%201=1", "%0A", "9" * 5000, "%25s"],
)
def test_a_path_that_cannot_be_is_refused(client, root, part):
    """Also to those whom no guard stops."""
    paths = [
        "/{}",
        "/api/users/{}",
        "/api/users/{}/roles",
        "/api/posts/{}",
        "/api/posts/{}/like",
        "/api/auth/sessions/{}",
        "/api/roles/{}",
        "/api/roles/{}/permissions",
        "/api/permissions/{}",
        "/api/products/{}",
        "/api/orders/{}",
        "/api/orders/{}/events",
        "/api/orders/user/{}",
    ]
    for path in paths:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            url = path.format(part)
            response = client.request(method, url, json={}, headers=root.headers)
            assert response.status_code in (404, 405, 422), f"{method} {url[:50]}"
            assert "9" * 100 not in response.text


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE posts; --", "%s%s%(x)s", "$1", "\\'", '"', "a' OR '1'='1", "{0}", "%"]
)
def test_sql_is_text_like_any_other(client, anna, boris, write, text):
    post, _ = write(anna, f"a {text} b"), write(boris, "another")
    response = client.get("/api/posts", params={"search": text}, headers=anna.headers)

    assert [found["id"] for found in response.json()] == [post]
    assert response.json()[0]["text"] == f"a {text} b"


@pytest.mark.parametrize(
    "name", ["' OR 1=1 --", "gopher_anna'--", 'a"; DROP TABLE users', "%s%s%s"]
)
def test_sql_is_no_user_name(client, anna, name):
    login = {"user_name": name, "password": SECRET}
    path = f"/api/users/{anna.id}"

    assert client.post("/api/auth/login", json=login).status_code == 401
    assert client.patch(path, json={"user_name": name}, headers=anna.headers).status_code == 422
