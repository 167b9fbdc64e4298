"""The post repository on a real PostgreSQL: always two readers, and another post beside."""

import random
from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from dto.post_dto import Post
from repositories import post_repository, user_repository
from repositories.sql import fetch_all, fetch_one
from utils.errors import Conflict, NotFound

NOTHING = 2**63 - 1


def write(user_id, text="Hello", reply_to_id=None):
    """The id of a new post."""
    new = {"text": text, "user_id": user_id, "reply_to_id": reply_to_id}
    return post_repository.create_post(new)["id"]


def ids(reader, limit=100, offset=0, **conditions):
    wanted = {"user_id": reader, "limit": limit, "offset": offset, **conditions}
    return [post["id"] for post in post_repository.get_all_posts(wanted)]


def get(post_id, reader):
    return post_repository.get_post_by_id(post_id, reader)


def counters(post_id):
    """Likes, views, replies: of the row itself, so of a deleted post too."""
    row = fetch_one(
        "SELECT likes_count, views_count, replies_count FROM posts WHERE id = %s", (post_id,)
    )
    return tuple(row.values())


class TestCreate:
    def test_a_new_post_has_its_author_and_no_readers(self, anna, boris):
        new = {"text": "Привет", "user_id": boris, "reply_to_id": None}
        post = post_repository.create_post(new)

        assert TypeAdapter(Post).validate_python(post, strict=True) == post
        assert post["text"] == "Привет"
        assert post["reply_to_id"] is None
        assert post["created_at"].utcoffset() == timedelta(0)
        assert (post["likes_count"], post["views_count"], post["replies_count"]) == (0, 0, 0)
        assert post["user_liked"] is post["user_viewed"] is False
        assert post["user"] == {
            "id": boris,
            "user_name": "gopher_boris",
            "first_name": "Борис",
            "last_name": "Иванов",
        }
        assert get(post["id"], boris) == post

    def test_a_reply_counts_for_its_parent_alone(self, anna, boris):
        parent, other = write(anna), write(anna)

        reply = post_repository.create_post(
            {"text": "Yes", "user_id": boris, "reply_to_id": parent}
        )

        assert reply["reply_to_id"] == parent
        assert counters(parent) == (0, 0, 1)
        assert counters(other) == counters(reply["id"]) == (0, 0, 0)

    def test_a_reply_can_be_replied_to(self, anna, boris):
        parent = write(anna)
        reply = write(boris, reply_to_id=parent)
        write(anna, reply_to_id=reply)

        assert (counters(parent), counters(reply)) == ((0, 0, 1), (0, 0, 1))

    def test_what_is_not_there_cannot_be_replied_to(self, anna, boris):
        gone = write(anna)
        post_repository.delete_post(gone, anna)

        for parent in (gone, NOTHING):
            with pytest.raises(NotFound, match=r"^Post not found$"):
                write(boris, reply_to_id=parent)
        assert counters(gone) == (0, 0, 0)
        assert fetch_all("SELECT id FROM posts") == [{"id": gone}]

    @pytest.mark.parametrize("text", ["'; DROP TABLE posts; --", "%s %(a)s {}", "\\", "🐹" * 280])
    def test_a_text_is_data(self, anna, text):
        assert get(write(anna, text), anna)["text"] == text


class TestGet:
    def test_likes_and_views_are_the_readers_and_the_posts_own(self, anna, boris):
        first, second = write(anna), write(anna)
        post_repository.like_post(first, anna)
        post_repository.view_post(second, anna)

        def seen(reader):
            return [
                (get(post, reader)["user_liked"], get(post, reader)["user_viewed"])
                for post in (first, second)
            ]

        assert seen(anna) == [(True, False), (False, True)]
        assert seen(boris) == [(False, False), (False, False)]

    def test_the_author_is_the_posts_own(self, anna, boris):
        posts = [write(anna), write(boris)]

        assert [get(post, anna)["user"]["id"] for post in posts] == [anna, boris]

    def test_neither_the_unknown_nor_the_deleted_is_found(self, anna, boris):
        gone, other = write(anna), write(anna)
        post_repository.delete_post(gone, anna)

        for post_id in (gone, NOTHING):
            with pytest.raises(NotFound, match=r"^Post not found$"):
                get(post_id, boris)
        assert get(other, boris)

    def test_a_deleted_author_is_shown_as_deleted(self, anna, boris):
        posts = [write(anna), write(boris)]
        user_repository.delete_user(anna)
        deleted = {
            "id": anna,
            "user_name": "deleted",
            "first_name": "deleted",
            "last_name": "deleted",
        }

        page = post_repository.get_all_posts({"user_id": boris, "limit": 10, "offset": 0})

        assert get(posts[0], boris)["user"] == deleted
        assert [post["user"]["user_name"] for post in page] == ["gopher_boris", "deleted"]
        assert page[1]["user"] == deleted


class TestDelete:
    def test_ones_own_once(self, anna, boris):
        post, other = write(anna), write(anna)

        post_repository.delete_post(post, anna)

        assert ids(boris) == [other]
        assert fetch_one("SELECT text FROM posts WHERE id = %s", (post,)) == {"text": "Hello"}
        with pytest.raises(NotFound, match=r"^Post not found or already deleted$"):
            post_repository.delete_post(post, anna)

    def test_not_somebody_elses(self, anna, boris):
        post = write(anna)

        for post_id, owner in [(post, boris), (NOTHING, anna)]:
            with pytest.raises(NotFound, match=r"^Post not found or already deleted$"):
                post_repository.delete_post(post_id, owner)
        assert ids(boris) == [post]

    def test_a_deleted_reply_counts_no_more_and_only_once(self, anna, boris):
        parent, other = write(anna), write(anna)
        reply, _ = write(boris, reply_to_id=parent), write(anna, reply_to_id=parent)
        write(boris, reply_to_id=other)

        post_repository.delete_post(reply, boris)
        with pytest.raises(NotFound):
            post_repository.delete_post(reply, boris)

        assert counters(parent) == counters(other) == (0, 0, 1)

    def test_the_replies_of_a_deleted_post_stay(self, anna, boris):
        parent = write(anna)
        reply = write(boris, reply_to_id=parent)

        post_repository.delete_post(parent, anna)

        assert get(reply, anna)["reply_to_id"] == parent


@pytest.mark.parametrize(
    ("mark", "message", "counted"),
    [
        (post_repository.like_post, r"^Post already liked$", (1, 0, 0)),
        (post_repository.view_post, r"^Post already viewed$", (0, 1, 0)),
    ],
    ids=["like", "view"],
)
class TestLikeAndView:
    def test_once_by_each_reader(self, anna, boris, mark, message, counted):
        post, other = write(anna), write(anna)

        mark(post, boris)
        with pytest.raises(Conflict, match=message):
            mark(post, boris)

        assert counters(post) == counted
        mark(post, anna)
        mark(other, boris)
        assert counters(post) == tuple(2 * count for count in counted)
        assert counters(other) == counted

    def test_only_what_is_there_by_somebody_who_is(self, anna, boris, mark, message, counted):
        gone, post = write(anna), write(anna)
        post_repository.delete_post(gone, anna)

        for post_id, reader in [(gone, boris), (NOTHING, boris), (post, NOTHING)]:
            with pytest.raises(NotFound, match=r"^Post not found$"):
                mark(post_id, reader)
        assert counters(gone) == counters(post) == (0, 0, 0)


class TestDislike:
    def test_takes_back_ones_own_like_of_that_post(self, anna, boris):
        post, other = write(anna), write(anna)
        for post_id, reader in [(post, anna), (post, boris), (other, boris)]:
            post_repository.like_post(post_id, reader)

        post_repository.dislike_post(post, boris)

        assert counters(post) == counters(other) == (1, 0, 0)
        assert get(post, anna)["user_liked"] is True
        assert get(post, boris)["user_liked"] is False
        assert get(other, boris)["user_liked"] is True

    def test_there_must_be_a_like_of_ones_own(self, anna, boris):
        post = write(anna)
        post_repository.like_post(post, anna)

        for post_id in (post, NOTHING):
            with pytest.raises(NotFound, match=r"^Post not found$"):
                post_repository.dislike_post(post_id, boris)
        assert counters(post) == (1, 0, 0)

    def test_a_deleted_post_keeps_its_likes(self, anna, boris):
        post = write(anna)
        post_repository.like_post(post, boris)
        post_repository.delete_post(post, anna)

        with pytest.raises(NotFound, match=r"^Post not found$"):
            post_repository.dislike_post(post, boris)
        assert counters(post) == (1, 0, 0)

    def test_a_like_can_be_given_again(self, anna, boris):
        post = write(anna)
        for _ in range(3):
            post_repository.like_post(post, boris)
            post_repository.dislike_post(post, boris)
        post_repository.like_post(post, boris)

        assert counters(post) == (1, 0, 0)


def test_the_counters_are_what_counting_would_find(anna, boris):
    pick = random.Random(7)
    posts = [write(pick.choice((anna, boris)))]
    for _ in range(150):
        post, user = pick.choice(posts), pick.choice((anna, boris))
        act = pick.choice(["write", "like", "view", "dislike", "delete"])
        try:
            if act == "write":
                posts.append(write(user, reply_to_id=pick.choice([None, post, post])))
            else:
                getattr(post_repository, f"{act}_post")(post, user)
        except (NotFound, Conflict):
            continue

    counted = fetch_all("""
        SELECT p.id,
               (SELECT count(*) FROM likes l WHERE l.post_id = p.id) AS likes,
               (SELECT count(*) FROM views v WHERE v.post_id = p.id) AS views,
               (SELECT count(*) FROM posts r
                WHERE r.reply_to_id = p.id AND r.deleted_at IS NULL) AS replies
        FROM posts p
    """)
    assert {row["id"]: (row["likes"], row["views"], row["replies"]) for row in counted} == {
        post: counters(post) for post in posts
    }
    assert sum(row["replies"] for row in counted) > 5


class TestFeed:
    def test_top_level_posts_come_newest_first(self, anna, boris):
        first, second, third = write(anna), write(boris), write(anna)
        write(boris, reply_to_id=first)
        gone = write(anna)
        post_repository.delete_post(gone, anna)

        assert ids(anna) == ids(boris) == [third, second, first]

    def test_replies_to_one_post_come_oldest_first(self, anna, boris):
        parent, other = write(anna), write(anna)
        replies = [write(user, reply_to_id=parent) for user in (boris, anna, boris)]
        write(boris, reply_to_id=other)
        write(anna, reply_to_id=replies[0])
        gone = write(anna, reply_to_id=parent)
        post_repository.delete_post(gone, anna)

        assert ids(anna, reply_to_id=parent) == replies

    def test_the_owner_filter_leaves_the_others_out(self, anna, boris):
        parent, hers = write(anna), write(anna)
        his = write(boris)
        his_reply, _ = write(boris, reply_to_id=parent), write(anna, reply_to_id=parent)

        assert ids(boris, owner_id=anna) == [hers, parent]
        assert ids(anna, owner_id=boris) == [his]
        assert ids(anna, owner_id=boris, reply_to_id=parent) == [his_reply]
        assert ids(anna, owner_id=NOTHING) == []

    def test_zero_is_no_filter(self, anna, boris):
        posts = [write(boris), write(anna)]

        assert ids(anna, owner_id=0, reply_to_id=0, search="") == posts[::-1]

    def test_each_row_is_as_the_reader_sees_it(self, anna, boris):
        posts = [write(anna), write(boris)]
        post_repository.like_post(posts[0], anna)
        post_repository.view_post(posts[1], boris)

        for reader in (anna, boris):
            page = post_repository.get_all_posts({"user_id": reader, "limit": 10, "offset": 0})
            assert page == [get(posts[1], reader), get(posts[0], reader)]

    @pytest.mark.parametrize("replies", [False, True], ids=["feed", "replies"])
    def test_pages_by_offset_and_by_the_last_id_agree(self, anna, boris, replies):
        parent = write(anna)
        where = {"reply_to_id": parent} if replies else {}
        for number in range(7):
            write((anna, boris)[number % 2], reply_to_id=parent if replies else None)
        expected = ids(anna, **where)

        by_offset = [ids(anna, 3, offset, **where) for offset in range(0, len(expected) + 3, 3)]
        by_id, page = [], ids(anna, 3, **where)
        while page:
            by_id.append(page)
            page = ids(anna, 3, after_id=page[-1], **where)

        assert by_offset == [*by_id, []]
        assert [post for page in by_id for post in page] == expected

    def test_after_id_keeps_to_the_filters(self, anna, boris):
        posts = [write(user, text) for text in ("one", "two") for user in (anna, boris)]

        assert ids(boris, after_id=posts[3], owner_id=anna) == [posts[2], posts[0]]
        assert ids(boris, after_id=posts[3], search="tw") == [posts[2]]
        assert ids(boris, after_id=0) == []


class TestSearch:
    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("100%", "is 100% sure"),
            ("%", "is 100% sure"),
            ("0%%", None),
            ("snake_case", "a snake_case name"),
            ("_", "a snake_case name"),
            ("s_re", None),
            ("\\", "a C:\\temp path"),
            ("c:\\TEMP", "a C:\\temp path"),
            ("\\\\", None),
            ("\\%", None),
            ("'; DROP TABLE posts; --", None),
            ("'", "it's"),
            ("%s", None),
        ],
    )
    def test_every_character_stands_for_itself(self, anna, search, found):
        texts = ["is 100% sure", "a snake_case name", "a C:\\temp path", "it's", "plain sXre"]
        posts = {write(anna, text): text for text in texts}

        assert [posts[post] for post in ids(anna, search=search)] == ([found] if found else [])

    @pytest.mark.parametrize("search", ["привет", "ПРИВЕТ", "РиВе", "ёж", "ЁЖ", "т, ё"])
    def test_case_does_not_count_in_cyrillic(self, anna, boris, search):
        post, _ = write(anna, "Привет, Ёжик!"), write(boris, "Пока, медведь!")

        assert ids(boris, search=search) == [post]

    @pytest.mark.parametrize("search", ["gopher", "GOPHER", "Ô GO", "h", "🐹"])
    def test_nor_in_latin(self, anna, boris, search):
        post, _ = write(anna, "hallô Gopher 🐹"), write(boris, "a mouse")

        assert ids(boris, search=search) == [post]

    def test_it_looks_where_the_other_filters_say(self, anna, boris):
        parent, his = write(anna, "tea"), write(boris, "tea")
        reply, _ = write(boris, "tea?", parent), write(boris, "coffee", parent)
        gone = write(anna, "tea")
        post_repository.delete_post(gone, anna)

        assert ids(anna, search="TEA") == [his, parent]
        assert ids(anna, search="tea", owner_id=boris) == [his]
        assert ids(anna, search="tea", reply_to_id=parent) == [reply]

    def test_what_no_index_finds_is_looked_for_in_so_many_posts_of_the_feed(
        self, anna, boris, monkeypatch
    ):
        monkeypatch.setattr(post_repository, "SCANNED_ROWS", "3")
        old, *new = [write(anna, f"zq {number}") for number in range(4)]
        gone = write(anna, "zq")
        post_repository.delete_post(gone, anna)
        reply = write(boris, "zq", old)

        assert ids(boris, search="zq") == new[::-1]
        assert ids(boris, search="zq", limit=1, offset=1) == [new[1]]
        assert ids(boris, search="zq", after_id=new[1]) == [new[0], old]
        assert ids(boris, search="zq 0") == [old]
        assert ids(boris, search="zq", owner_id=anna) == [*new[::-1], old]
        assert ids(boris, search="zq", reply_to_id=old) == [reply]


@pytest.mark.parametrize("word", ["gopher", "привет"])
def test_the_index_of_the_search_knows_the_letters(db, word):
    """Of a word in letters that it does not know, pg_trgm would index nothing."""
    row = fetch_one("SELECT cardinality(show_trgm(%s)) AS trigrams", (word,))

    assert row == {"trigrams": len(word) + 1}
