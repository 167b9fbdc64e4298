"""An account that is deleted leaves nothing that names the person; its export holds all of it."""

import logging

import pytest
from psycopg import sql
from shop import settings_with

from repositories.sql import execute, fetch_all, transaction

CANARY = "Kanarie"
TEXT_COLUMNS = """
    SELECT c.table_name, c.column_name
    FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
      AND c.data_type IN ('text', 'character varying', 'character', 'json', 'jsonb')
"""


def places_with(word):
    """Every text and JSON column, by the catalogue, that holds the word, in any case."""
    found = []
    with transaction() as conn:
        for column in fetch_all(TEXT_COLUMNS):
            table, name = (
                sql.Identifier(column["table_name"]),
                sql.Identifier(column["column_name"]),
            )
            query = sql.SQL("SELECT count(*) AS n FROM {} WHERE {}::text ILIKE %s")
            if conn.execute(query.format(table, name), (f"%{word}%",)).fetchone()["n"]:
                found.append(f"{column['table_name']}.{column['column_name']}")
    return found


@pytest.fixture
def canary(client, mails, register):
    """A member who has put the word wherever a member can."""
    fields = {
        "user_name": f"{CANARY}_1",
        "password": f"{CANARY}1!",
        "password_confirm": f"{CANARY}1!",
        "first_name": CANARY,
        "last_name": CANARY,
        "middle_name": CANARY,
        "email": f"{CANARY}@example.org",
    }
    pair = client.post("/api/auth/register", json=fields).json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    me = client.get("/api/users/me", headers=headers).json()
    execute("INSERT INTO products (name, price) VALUES ('Mug', 10)")
    products = fetch_all("SELECT id FROM products")
    first = client.post("/api/posts", json={"text": f"I am {CANARY}"}, headers=headers).json()
    reply = {"text": f"{CANARY} again", "reply_to_id": first["id"]}
    client.post("/api/posts", json=reply, headers=headers)
    edited = client.post("/api/posts", json={"text": f"{CANARY} once"}, headers=headers).json()
    client.patch(f"/api/posts/{edited['id']}", json={"text": "deleted"}, headers=headers)
    gone = client.post("/api/posts", json={"text": f"Not {CANARY}"}, headers=headers).json()
    client.patch(f"/api/posts/{gone['id']}", json={"text": f"{CANARY} no more"}, headers=headers)
    client.delete(f"/api/posts/{gone['id']}", headers=headers)
    client.post(f"/api/posts/{first['id']}/like", headers=headers)
    client.post(f"/api/posts/{first['id']}/view", headers=headers)
    order = {"items": [{"product_id": products[0]["id"], "quantity": 1}]}
    made = client.post("/api/orders", json=order, headers={**headers, "Idempotency-Key": CANARY})
    assert made.status_code == 201
    client.patch(f"/api/users/{me['id']}", json={"email": f"{CANARY}@x.example"}, headers=headers)
    client.post("/api/auth/password/forgot", json={"email": f"{CANARY}@example.org"})
    client.get(f"/api/users/{CANARY}_1", headers=headers)
    other = register("gopher_other")
    report = {"user_id": other.id, "reason": "other", "comment": f"{CANARY} complains"}
    assert client.post("/api/reports", json=report, headers=headers).status_code == 201
    report = {"user_id": me["id"], "reason": "other", "comment": f"This is {CANARY}"}
    assert client.post("/api/reports", json=report, headers=other.headers).status_code == 201
    mails()
    return {"id": me["id"], "headers": headers, "post_id": first["id"]}


def test_nothing_that_names_the_person_stays_anywhere(client, canary, caplog):
    assert len(places_with(CANARY)) >= 7

    answer = client.delete(f"/api/users/{canary['id']}?posts=delete", headers=canary["headers"])

    assert answer.status_code == 204
    assert places_with(CANARY) == []


def test_nothing_in_the_log_names_the_person(client, caplog, mails):
    with caplog.at_level(logging.INFO):
        fields = {"user_name": f"{CANARY}_2", "first_name": CANARY, "last_name": CANARY}
        secret = {"password": f"{CANARY}1!", "password_confirm": f"{CANARY}1!"}
        pair = client.post("/api/auth/register", json={**fields, **secret}).json()
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        assert client.get(f"/api/users/{CANARY}_2", headers=headers).status_code == 200
        client.get(f"/api/users/{CANARY}_2/roles", headers=headers)
        client.patch(f"/api/users/{CANARY}_2", json={}, headers=headers)

    ours = [record for record in caplog.records if record.name.startswith("gophertalk")]
    lines = [record.getMessage() for record in ours]
    assert any("/api/users/" in line for line in lines)
    assert [line for line in lines if CANARY in line] == []


def test_posts_stay_by_an_author_called_deleted(client, canary, person):
    client.delete(f"/api/users/{canary['id']}", headers=canary["headers"])

    reader = person("gopher_reader").headers
    post = client.get(f"/api/posts/{canary['post_id']}", headers=reader).json()
    assert post["text"] == f"I am {CANARY}"
    assert post["user"] == {
        "id": canary["id"],
        "user_name": "deleted",
        "first_name": "deleted",
        "last_name": "deleted",
    }
    assert (post["likes_count"], post["views_count"], post["replies_count"]) == (1, 1, 1)
    # What the author had deleted is gone for good; what stands is theirs no longer.
    assert places_with(f"Not {CANARY}") == places_with(f"{CANARY} no more") == []
    assert places_with(f"{CANARY} once") == ["post_texts.text"]
    assert set(places_with(CANARY)) == {"post_texts.text", "posts.text"}


def test_posts_that_are_deleted_with_the_account_are_nobodys(client, canary, person):
    reader = person("gopher_reader")
    mine = {"text": "My own answer", "reply_to_id": canary["post_id"]}
    answer = client.post("/api/posts", json=mine, headers=reader.headers).json()

    client.delete(f"/api/users/{canary['id']}?posts=delete", headers=canary["headers"])

    path = f"/api/posts/{canary['post_id']}"
    assert client.get(path, headers=reader.headers).status_code == 404
    assert client.get(f"/api/posts/{answer['id']}", headers=reader.headers).status_code == 200


def test_the_name_and_the_address_are_free_again(client, canary):
    client.delete(f"/api/users/{canary['id']}", headers=canary["headers"])

    names = {"user_name": f"{CANARY}_1", "first_name": "Anna", "last_name": "Petrova"}
    secret = {"password": "gopher1!", "password_confirm": "gopher1!"}
    again = {**names, **secret, "email": f"{CANARY}@example.org"}
    assert client.post("/api/auth/register", json=again).status_code == 201
    assert client.get("/api/users/me", headers=canary["headers"]).status_code == 401


def test_who_may_not_delete_the_account_deletes_no_post_of_it(client, canary, person):
    other = person("gopher_another").headers
    answer = client.delete(f"/api/users/{canary['id']}?posts=delete", headers=other)

    assert answer.status_code == 403
    assert client.get(f"/api/posts/{canary['post_id']}", headers=other).status_code == 200


def test_posts_says_delete_or_nothing(client, canary):
    answer = client.delete(f"/api/users/{canary['id']}?posts=keep", headers=canary["headers"])

    assert answer.status_code == 422


def test_the_export_holds_everything(client, canary):
    answer = client.get("/api/users/me/export", headers=canary["headers"])

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    export = answer.json()
    assert CANARY in export["profile"]["email"]
    assert [post["text"] for post in export["posts"]] == [
        f"I am {CANARY}",
        f"{CANARY} again",
        "deleted",
        f"{CANARY} no more",
    ]
    assert [each["text"] for each in export["earlier_texts"]] == [
        f"{CANARY} once",
        f"Not {CANARY}",
    ]
    assert [like["id"] for like in export["likes"]] == [canary["post_id"]]
    assert [view["id"] for view in export["views"]] == [canary["post_id"]]
    assert export["orders"][0]["items"][0]["price"] == "10.00"
    assert [report["comment"] for report in export["reports"]] == [f"{CANARY} complains"]
    assert export["roles"] == ["user"]
    assert len(export["sessions"]) == 1
    assert export["audit"] == []


def test_one_export_in_five_minutes(client, canary):
    with settings_with(RATE_LIMIT_EXPORT="1/5 minutes"):
        assert client.get("/api/users/me/export", headers=canary["headers"]).status_code == 200
        again = client.get("/api/users/me/export", headers=canary["headers"])
    assert again.status_code == 429
    assert 0 < int(again.headers["retry-after"]) <= 300


def test_a_guest_exports_nothing(client):
    assert client.get("/api/users/me/export").status_code == 401


def test_an_export_takes_as_much_memory_as_a_page(db, new_person, monkeypatch):
    """However many posts: no piece of the document is larger than one page of rows."""
    from services import access_rules, export_service

    monkeypatch.setattr(export_service, "PAGE_ROWS", 50)
    user_id = new_person("gopher_writer").id
    execute(
        "INSERT INTO posts (text, user_id) SELECT 'Post ' || n, %s FROM generate_series(1, 500) n",
        (user_id,),
    )
    with access_rules.acting_as({"sub": str(user_id), "exp": 0}):
        pieces = list(export_service.export())

    assert sum(piece.count(b'"reply_to_id"') for piece in pieces) == 500
    assert max(piece.count(b'"reply_to_id"') for piece in pieces) == export_service.PAGE_ROWS
