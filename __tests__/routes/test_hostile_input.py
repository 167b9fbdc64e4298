"""Hostile input that takes more than a schema: `abuse/test_hostile_values.py` has the rest.

The client in the conftest checks the shape of every answer; here it is who is refused, and how.
"""

import pytest

SECRET = "Sesame99!"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def send(client, anna):
    """A new post, as bytes."""
    return lambda body: client.post("/api/posts", content=body, headers=JSON | anna.headers)


def test_a_password_beside_a_bad_field_is_not_echoed(client, anna):
    bodies = {
        ("POST", "/api/auth/register"): b'{"password": "%s", "password_confirm": "x"}',
        ("POST", "/api/auth/login"): b'{"user_name": 1, "password": "%s"}',
        ("PATCH", f"/api/users/{anna.id}"): b'{"first_name": 1, "password": "%s"}',
    }
    for (method, path), body in bodies.items():
        content = body.replace(b"%s", SECRET.encode())
        answer = client.request(method, path, content=content, headers=JSON | anna.headers)
        assert answer.status_code == 422
        assert SECRET not in answer.text


def test_a_number_that_is_no_id_is_422(send, subtests):
    for parent in ("9007199254740992", "1e400", "-1", "1.5", "1e-3", "NaN", '"1"', "true", "[1]"):
        with subtests.test(parent):
            answer = send(f'{{"text": "a", "reply_to_id": {parent}}}'.encode())
            assert answer.status_code == 422
            assert parent not in answer.text or len(parent) < 6


@pytest.mark.parametrize("number", ["1", "1.0", "1e0", "0.1e1"])
def test_a_whole_number_is_one_however_it_is_spelt(send, write, anna, number):
    assert write(anna) == 1
    response = send(f'{{"text": "a", "reply_to_id": {number}}}'.encode())

    assert (response.status_code, response.json()["reply_to_id"]) == (201, 1)


def test_of_two_equal_keys_the_last_counts_and_is_checked(send):
    assert send(b'{"text": "", "text": "b"}').json()["text"] == "b"
    assert send(b'{"text": "a", "text": ""}').status_code == 422


def test_a_hostile_form_is_refused(client, anna, subtests):
    forms = {
        b"username=gopher_anna&password=%00": {422},
        b"username=%ff%fe&password=Sesame99!": {401, 422},
        b"username=%ed%a0%80&password=Sesame99!": {401, 422},
        b"username=gopher_anna&password=" + b"x" * 257: {422},
        b"username=a&username=b&password=Sesame99!": {401, 422},
        b"&".join([b"a=1"] * 5000): {422},
        b"=": {422},
        b"\xff\x00": {422},
        b"username=a&password=Sesame99!&grant_type=%00": {422},
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for content, statuses in forms.items():
        with subtests.test(content[:30]):
            answer = client.post("/api/login/access-token", content=content, headers=headers)
            assert answer.status_code in statuses
            assert SECRET not in answer.text


def test_so_is_a_hostile_multipart_form(client, subtests):
    name = b'--x\r\nContent-Disposition: form-data; name="username"'
    contents = [
        b"",
        b"--x",
        b"--x\r\n\r\n\r\n--x--",
        name + b"\r\n\r\na\r\n",
        name + b'; filename="a"\r\n\r\na\r\n--x--',
    ]
    for boundary in ("; boundary=x", "; boundary=", ""):
        for content in contents:
            with subtests.test(content + boundary.encode()):
                headers = {"Content-Type": f"multipart/form-data{boundary}"}
                answer = client.post("/api/login/access-token", content=content, headers=headers)
                assert answer.status_code == 422


def test_a_filter_that_cannot_be_is_422(client, anna, subtests):
    queries = [
        "search=" + "x" * 281,
        f"owner_id={2**53}",
        "owner_id=' OR 1=1 --",
        "cursor=%00",
        "cursor=' OR 1=1 --",
        "cursor=%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff",
        "cursor=AAAAAAAAAAA%0A",
    ]
    for query in queries:
        with subtests.test(query[:30]):
            assert client.get(f"/api/posts?{query}", headers=anna.headers).status_code == 422
