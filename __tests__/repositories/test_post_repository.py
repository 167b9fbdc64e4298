"""The statements of the post repository, on a pool that connects to nothing."""

from unittest.mock import patch

import pytest
from psycopg.errors import ForeignKeyViolation, UniqueViolation

from repositories import post_repository
from repositories.post_rows import NOT_BLOCKED, NOT_HIDDEN
from repositories.search import like_pattern
from utils.errors import Conflict, NotFound

OWN = {
    "id": 5,
    "text": "Hello",
    "reply_to_id": None,
    "created_at": "now",
    "likes_count": 2,
    "views_count": 3,
    "replies_count": 1,
    "user_liked": True,
    "user_viewed": False,
}
ROW = {
    **OWN,
    "user_id": 9,
    "user_name": "gopher_anna",
    "first_name": "Anna",
    "last_name": "Petrova",
}
POST = {
    **OWN,
    "user": {"id": 9, "user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"},
}
PARENT = f"reply_to_id = (SELECT id FROM posts WHERE id = %s AND {NOT_BLOCKED})"
FEED = {"user_id": 3, "limit": 10, "offset": 20}


@pytest.fixture
def cursor():
    with patch("config.db.pool") as pool:
        conn = pool.connection.return_value.__enter__.return_value
        cursor = conn.cursor.return_value.__enter__.return_value
        cursor.fetchone.return_value = dict(ROW)
        cursor.fetchall.return_value = [dict(ROW), {**ROW, "id": 4}]
        cursor.rowcount = 1
        yield cursor


def sent(cursor):
    """The one statement that was sent, in one line, and its parameters."""
    cursor.execute.assert_called_once()
    sql, params = cursor.execute.call_args.args
    return " ".join(sql.split()), params


class TestCreatePost:
    @pytest.mark.parametrize("reply_to_id", [None, 7])
    def test_inserts_and_returns_the_post_with_its_author(self, cursor, reply_to_id):
        dto = {"text": "Hello", "user_id": 9, "reply_to_id": reply_to_id}
        assert post_repository.create_post(dto) == POST

        sql, params = sent(cursor)
        assert "INSERT INTO posts (text, user_id, reply_to_id) VALUES (%s, %s, %s)" in sql
        assert "JOIN users u ON u.id = p.user_id" in sql
        assert params == ("Hello", 9, reply_to_id)

    def test_reply_to_id_may_be_left_out(self, cursor):
        post_repository.create_post({"text": "Hello", "user_id": 9})

        assert sent(cursor)[1] == ("Hello", 9, None)

    def test_a_missing_parent_is_not_found(self, cursor):
        violation = ForeignKeyViolation('... violates "fk__posts__reply_to_id"')
        cursor.execute.side_effect = violation
        with pytest.raises(NotFound, match=r"^Post not found$") as caught:
            post_repository.create_post({"text": "Hello", "user_id": 9, "reply_to_id": 7})

        assert caught.value.__cause__ is violation


class TestGetAllPosts:
    def test_flat_rows_come_out_with_the_author_under_user(self, cursor):
        assert post_repository.get_all_posts(FEED) == [POST, {**POST, "id": 4}]

    def test_a_row_without_an_author_stays_as_it_is(self, cursor):
        cursor.fetchall.return_value = [{"id": 5, "text": "Hello"}]

        assert post_repository.get_all_posts(FEED) == [{"id": 5, "text": "Hello"}]

    def test_the_reader_stands_first_and_the_page_last(self, cursor):
        post_repository.get_all_posts(FEED)

        sql, params = sent(cursor)
        assert "l.user_id = %s AND l.post_id = p.id) AS user_liked" in sql
        assert "v.user_id = %s AND v.post_id = p.id) AS user_viewed" in sql
        assert "OFFSET %s LIMIT %s" in sql
        assert params == (3, 3, 3, 20, 10)

    @pytest.mark.parametrize(
        ("filters", "where", "values"),
        [
            ({}, "reply_to_id IS NULL ORDER BY id DESC", ()),
            (
                {"reply_to_id": 0, "owner_id": 0, "search": "", "after_id": None},
                "reply_to_id IS NULL ORDER BY id DESC",
                (),
            ),
            ({"reply_to_id": 7}, f"{PARENT} ORDER BY id )", (7, 3)),
            (
                {"owner_id": 9},
                "reply_to_id IS NULL AND user_id = (SELECT %s::bigint) ORDER BY id DESC",
                (9,),
            ),
            (
                {"search": "100%_\\"},
                "reply_to_id IS NULL AND text ILIKE %s ORDER BY id DESC",
                ("%100\\%\\_\\\\%",),
            ),
            (
                {"after_id": 50},
                "reply_to_id IS NULL AND id < %s ORDER BY id DESC",
                (50,),
            ),
            (
                {"reply_to_id": 7, "after_id": 50},
                f"{PARENT} AND id > %s ORDER BY id )",
                (7, 3, 50),
            ),
            (
                {"reply_to_id": 7, "owner_id": 9, "search": "hi", "after_id": 50},
                f"{PARENT} AND user_id = (SELECT %s::bigint)"
                " AND text ILIKE %s AND id > %s ORDER BY id",
                (7, 3, 9, "%hi%", 50),
            ),
        ],
    )
    def test_each_filter_that_is_given_is_one_condition(self, cursor, filters, where, values):
        post_repository.get_all_posts({**FEED, **filters})

        sql, params = sent(cursor)
        left_out = NOT_BLOCKED if filters.get("owner_id") else NOT_HIDDEN
        assert f"WHERE deleted_at IS NULL AND {left_out} AND {where}" in sql
        assert params == (3, 3, 3, *values, 20, 10)
        assert sql.count("%s") == len(params)

    @pytest.mark.parametrize(
        ("filters", "bound"),
        [
            ({"offset": 0}, "LIMIT 101 "),
            ({"offset": 0, "reply_to_id": 7}, "LIMIT 101 "),
            ({"offset": 0, "owner_id": 9}, "LIMIT 101 "),
            ({"offset": 0, "after_id": 50}, "LIMIT 101 "),
            ({"offset": 1}, ""),
            ({"offset": 0, "search": "gopher"}, ""),
            ({"offset": 0, "search": "zq", "owner_id": 9}, ""),
            ({"offset": 0, "search": "zq", "reply_to_id": 7}, ""),
            *(
                ({"offset": 0, "search": search}, "")
                for search in ("abc", "ёжи", "a b", "ab ", " a", "%a", "_a", "q_zx")
            ),
        ],
    )
    def test_the_page_is_bounded_where_one_plan_fits_all(self, cursor, filters, bound):
        post_repository.get_all_posts({**FEED, **filters})

        order = "ORDER BY id" if "reply_to_id" in filters else "ORDER BY id DESC"
        sql, params = sent(cursor)
        assert f" {order} {bound}) matching WHERE true {order} OFFSET %s LIMIT %s ) p" in sql
        assert params[-2:] == (filters["offset"], 10)

    @pytest.mark.parametrize("search", ["zq", "z", "z ", "ё", "🐹", "_", "%%%", "1_", "a"])
    @pytest.mark.parametrize("offset", [0, 20])
    def test_what_no_index_finds_is_looked_for_in_so_many_posts(self, cursor, search, offset):
        post_repository.get_all_posts({**FEED, "offset": offset, "search": search, "after_id": 50})

        sql, params = sent(cursor)
        assert (
            "WHERE deleted_at IS NULL AND reply_to_id IS NULL AND id < %s"
            " ORDER BY id DESC LIMIT 10000 )"
            f" matching WHERE true AND {NOT_HIDDEN} AND text ILIKE %s ORDER BY id DESC OFFSET"
            in sql
        )
        assert params[2:] == (50, params[0], like_pattern(search), offset, 10)
        assert sql.count("%s") == len(params)

    @pytest.mark.parametrize(
        ("search", "options"),
        [("gopher", {"prepare": False}), ("zq", {"prepare": False}), ("", {}), (None, {})],
    )
    def test_a_search_is_planned_for_its_own_words(self, cursor, search, options):
        post_repository.get_all_posts({**FEED, "search": search})

        assert cursor.execute.call_args.kwargs == options

    def test_the_authors_are_looked_up_for_the_page_alone(self, cursor):
        post_repository.get_all_posts(FEED)

        page, _, authors = sent(cursor)[0].partition(" ) p CROSS JOIN LATERAL ( ")
        assert page.endswith("OFFSET %s LIMIT %s")
        assert "FROM users WHERE id = p.user_id LIMIT 1 ) u ORDER BY p.id DESC" in authors

    @pytest.mark.parametrize(
        ("reply_to_id", "end"), [(0, "ORDER BY p.id DESC"), (7, "ORDER BY p.id")]
    )
    def test_the_joined_page_keeps_its_order(self, cursor, reply_to_id, end):
        post_repository.get_all_posts({**FEED, "reply_to_id": reply_to_id})

        assert sent(cursor)[0].endswith(end)

    def test_what_is_searched_for_is_a_parameter(self, cursor):
        post_repository.get_all_posts({**FEED, "search": "'; DROP TABLE posts; --"})

        assert "DROP" not in sent(cursor)[0]


class TestGetPostById:
    def test_reader_reader_post(self, cursor):
        assert post_repository.get_post_by_id(5, 3) == POST

        sql, params = sent(cursor)
        assert "WHERE p.id = %s AND p.deleted_at IS NULL" in sql
        assert params == (3, 3, 5)

    def test_not_there(self, cursor):
        cursor.fetchone.return_value = None
        with pytest.raises(NotFound, match=r"^Post not found$"):
            post_repository.get_post_by_id(5, 3)


@pytest.mark.parametrize(
    ("function", "fragment", "none_touched"),
    [
        ("delete_post", "UPDATE posts SET deleted_at = now()", "Post not found or already deleted"),
        ("view_post", "INSERT INTO views (post_id, user_id)", "Post not found"),
        ("like_post", "INSERT INTO likes (post_id, user_id)", "Post not found"),
        ("dislike_post", "DELETE FROM likes", "Post not found"),
    ],
)
class TestOnePost:
    def test_post_before_user(self, cursor, function, fragment, none_touched):
        assert getattr(post_repository, function)(5, 3) is None

        sql, params = sent(cursor)
        assert fragment in sql
        assert "deleted_at IS NULL" in sql
        assert params == (5, 3)

    def test_no_row_touched(self, cursor, function, fragment, none_touched):
        cursor.rowcount = 0
        with pytest.raises(ValueError, match=f"^{none_touched}$") as caught:
            getattr(post_repository, function)(5, 3)

        assert type(caught.value) is NotFound


@pytest.mark.parametrize(
    ("function", "violation", "error"),
    [
        ("view_post", UniqueViolation('... "pk__views"'), Conflict("Post already viewed")),
        ("like_post", UniqueViolation('... "pk__likes"'), Conflict("Post already liked")),
        (
            "view_post",
            ForeignKeyViolation('... "fk__views__post_id"'),
            NotFound("Post not found"),
        ),
        (
            "like_post",
            ForeignKeyViolation('... "fk__likes__post_id"'),
            NotFound("Post not found"),
        ),
    ],
)
def test_a_violation_is_a_domain_error(cursor, function, violation, error):
    cursor.execute.side_effect = violation
    with pytest.raises(ValueError, match=f"^{error}$") as caught:
        getattr(post_repository, function)(5, 3)

    assert type(caught.value) is type(error)
    assert caught.value.__cause__ is violation
