"""Follows, mutes and blocks, and the profiles that they change, on a real PostgreSQL."""

import pytest
from pydantic import TypeAdapter

from dto.user_dto import RelatedUser, User
from repositories import (
    follow_repository,
    hiding_repository,
    profile_repository,
    user_repository,
)
from repositories.sql import execute, fetch_all, transaction
from utils.errors import Conflict, NotFound

NOBODY = 2**40
PROFILES = TypeAdapter(list[User])
RELATED = TypeAdapter(list[RelatedUser])


@pytest.fixture
def carl(new_user):
    """His id."""
    return new_user("gopher_carl", first_name="Carl", last_name="Ёлкин")["id"]


def counters(*user_ids):
    rows = [user_repository.get_user_by_id(user_id) for user_id in user_ids]
    return [(row["followers_count"], row["following_count"]) for row in rows]


def ids(rows):
    return [row["id"] for row in rows]


class TestFollow:
    def test_counts_on_both_profiles(self, anna, boris, carl):
        follow_repository.follow(anna, boris)
        follow_repository.follow(carl, boris)
        follow_repository.follow(boris, anna)
        assert counters(anna, boris, carl) == [(1, 1), (2, 1), (0, 1)]

        follow_repository.unfollow(carl, boris)
        assert counters(anna, boris, carl) == [(1, 1), (1, 1), (0, 0)]
        assert follow_repository.is_followed(boris, anna)
        assert not follow_repository.is_followed(boris, carl)

    def test_is_refused_and_counts_nothing(self, anna, boris, carl):
        follow_repository.follow(anna, boris)
        user_repository.delete_user(carl)
        for followed, error, sentence in [
            (boris, Conflict, "User already followed"),
            (anna, Conflict, "You cannot follow yourself"),
            (carl, NotFound, "User not found"),
            (NOBODY, NotFound, "User not found"),
        ]:
            with pytest.raises(error, match=f"^{sentence}$"):
                follow_repository.follow(anna, followed)
        with pytest.raises(NotFound, match=r"^User not followed$"):
            follow_repository.unfollow(boris, anna)
        assert counters(anna, boris) == [(0, 1), (1, 0)]

    def test_a_deactivated_user_can_be_followed(self, anna, boris):
        execute("UPDATE users SET status = 0 WHERE id = %s", (boris,))

        follow_repository.follow(anna, boris)

        assert counters(boris) == [(1, 0)]

    def test_within_a_transaction(self, rolled_back, anna, boris):
        rolled_back(lambda conn: follow_repository.follow(anna, boris, conn))

        assert counters(anna, boris) == [(0, 0), (0, 0)]

    def test_lists_are_the_newest_first_and_in_pages(self, anna, boris, carl):
        for follower, followed in [(boris, anna), (carl, anna), (anna, carl), (anna, boris)]:
            follow_repository.follow(follower, followed)

        followers = RELATED.validate_python(
            follow_repository.get_followers(anna, anna, None, 10), extra="forbid"
        )
        assert ids(followers) == [carl, boris]
        assert [row["is_followed"] for row in followers] == [True, True]
        place = followers[0]["place"]
        assert ids(follow_repository.get_followers(anna, boris, place, 10)) == [boris]
        following = follow_repository.get_following(anna, carl, None, 10)
        assert ids(following) == [boris, carl]
        assert [row["is_followed"] for row in following] == [False, False]
        assert ids(follow_repository.get_following(anna, carl, following[0]["place"], 1)) == [carl]

    def test_all_whose_counters_change_are_locked(self, db, anna, boris, carl, new_user):
        stranger = new_user("gopher_dora")["id"]
        follow_repository.follow(anna, boris)
        follow_repository.follow(carl, anna)
        free = "SELECT id FROM users ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
        with transaction() as conn:
            follow_repository.lock_all_of(anna, conn)

            assert ids(fetch_all(free)) == [stranger]
        assert ids(fetch_all(free)) == [anna, boris, carl, stranger]

    def test_go_with_the_account(self, anna, boris, carl):
        for follower, followed in [(boris, anna), (carl, anna), (anna, carl), (carl, boris)]:
            follow_repository.follow(follower, followed)
        hiding_repository.mute(boris, anna)
        hiding_repository.block(anna, boris)

        user_repository.delete_user(anna)

        assert counters(boris, carl) == [(1, 0), (0, 1)]
        rows = fetch_all(
            "SELECT followers_count, following_count FROM users WHERE id = %s", (anna,)
        )
        assert rows == [{"followers_count": 0, "following_count": 0}]
        assert fetch_all("SELECT 1 FROM mutes UNION ALL SELECT 1 FROM blocks") == []


class TestHiding:
    def test_a_mute_ends_nothing(self, anna, boris, carl):
        follow_repository.follow(anna, boris)
        hiding_repository.mute(anna, boris)
        hiding_repository.mute(anna, carl)

        muted = RELATED.validate_python(hiding_repository.get_muted(anna, None, 10), extra="forbid")
        assert ids(muted) == [carl, boris]
        assert ids(hiding_repository.get_muted(anna, muted[0]["place"], 10)) == [boris]
        assert hiding_repository.get_muted(boris, None, 10) == []
        assert counters(anna, boris) == [(0, 1), (1, 0)]
        hiding_repository.unmute(anna, carl)
        assert ids(hiding_repository.get_muted(anna, None, 10)) == [boris]

    def test_a_block_ends_the_follows_between_the_two(self, anna, boris, carl):
        for follower, followed in [(anna, boris), (boris, anna), (carl, anna)]:
            follow_repository.follow(follower, followed)

        hiding_repository.block(anna, boris)

        assert counters(anna, boris, carl) == [(1, 0), (0, 0), (0, 1)]
        for follower, followed in [(anna, boris), (boris, anna)]:
            with pytest.raises(NotFound):
                follow_repository.follow(follower, followed)

    def test_blocks_are_listed_for_who_made_them(self, anna, boris, carl):
        hiding_repository.block(anna, boris)
        hiding_repository.block(boris, anna)  # one may block who blocks oneself
        hiding_repository.block(anna, carl)

        blocked = hiding_repository.get_blocked(anna, None, 10)
        assert ids(blocked) == [carl, boris]
        assert ids(hiding_repository.get_blocked(anna, blocked[0]["place"], 10)) == [boris]
        assert ids(hiding_repository.get_blocked(boris, None, 10)) == [anna]
        hiding_repository.unblock(anna, boris)
        assert ids(hiding_repository.get_blocked(anna, None, 10)) == [carl]

    @pytest.mark.parametrize(
        ("do", "undo", "done"),
        [
            (hiding_repository.mute, hiding_repository.unmute, "mute"),
            (hiding_repository.block, hiding_repository.unblock, "block"),
        ],
    )
    def test_refusals(self, anna, boris, carl, do, undo, done):
        user_repository.delete_user(carl)
        past = {"mute": "muted", "block": "blocked"}[done]
        do(anna, boris)
        for other, error, sentence in [
            (boris, Conflict, f"User already {past}"),
            (anna, Conflict, f"You cannot {done} yourself"),
            (carl, NotFound, "User not found"),
            (NOBODY, NotFound, "User not found"),
        ]:
            with pytest.raises(error, match=f"^{sentence}$"):
                do(anna, other)
        undo(anna, boris)
        with pytest.raises(NotFound, match=f"^User not {past}$"):
            undo(anna, boris)

    def test_who_blocks_me_cannot_be_muted(self, anna, boris):
        hiding_repository.block(boris, anna)

        with pytest.raises(NotFound, match=r"^User not found$"):
            hiding_repository.mute(anna, boris)


class TestProfiles:
    def test_as_one_reader_sees_them(self, anna, boris, carl):
        follow_repository.follow(anna, boris)

        seen = PROFILES.validate_python(
            [
                profile_repository.get_profile(boris, anna),
                profile_repository.get_profile(boris, carl),
                profile_repository.get_profile_by_name("gopher_boris", anna),
                profile_repository.get_profile_by_name("gopher_anna", 0),
            ],
            extra="forbid",
        )
        assert ids(seen) == [boris, boris, boris, anna]
        assert [each["is_followed"] for each in seen] == [True, False, True, False]
        assert [each["followers_count"] for each in seen] == [1, 1, 1, 0]

    @pytest.mark.parametrize("blocker_first", [True, False])
    def test_neither_of_a_blocked_pair_sees_the_other(self, anna, boris, carl, blocker_first):
        hiding_repository.block(*((anna, boris) if blocker_first else (boris, anna)))

        for get in (
            lambda: profile_repository.get_profile(boris, anna),
            lambda: profile_repository.get_profile_by_name("gopher_boris", anna),
        ):
            with pytest.raises(NotFound, match=r"^User not found$"):
                get()
        assert ids(profile_repository.get_profiles(anna, 10, 0)) == [anna, carl]
        assert ids(profile_repository.search_profiles("gopher", anna, 10, 0)) == [anna, carl]
        assert ids(profile_repository.get_profiles(carl, 10, 0)) == [anna, boris, carl]

    def test_the_unknown_and_the_deleted_are_not_found(self, anna, boris, carl):
        user_repository.delete_user(carl)
        for user_id in (carl, NOBODY):
            with pytest.raises(NotFound):
                profile_repository.get_profile(user_id, anna)
        for name in ("gopher_carl", "GOPHER_ANNA"):
            with pytest.raises(NotFound):
                profile_repository.get_profile_by_name(name, anna)

    def test_pages(self, anna, boris, carl):
        assert ids(profile_repository.get_profiles(anna, 1, 1)) == [boris]
        assert ids(profile_repository.search_profiles("gopher", anna, 1, 2)) == [carl]

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("GOPHER_b", ["boris"]),
            ("анов", ["boris"]),
            ("ЁЛКИН", ["carl"]),
            ("carl ёл", ["carl"]),
            ("na P", ["anna"]),
            ("r", ["anna", "boris", "carl"]),
            ("%", []),
            ("gopher_", ["anna", "boris", "carl"]),
            ("gopherx", []),
        ],
    )
    def test_a_search_finds_parts_of_names_in_any_case_and_alphabet(
        self, anna, boris, carl, text, found
    ):
        known = {"anna": anna, "boris": boris, "carl": carl}

        rows = profile_repository.search_profiles(text, anna, 10, 0)

        assert ids(rows) == [known[name] for name in found]
        PROFILES.validate_python(rows, extra="forbid")
