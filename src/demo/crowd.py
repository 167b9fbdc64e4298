"""Invents a community; the same seed gives the same one. As in a real one, a few users write most
posts, a few posts get most likes, a few people have most followers, and some posts have many
replies."""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate, islice
from math import sqrt
from random import Random

from demo.words import ENGLISH, FIRST_NAMES, LAST_NAMES, RARE, RUSSIAN

# Shares of all posts.
REPLIES = 0.3
WITH_RARE_WORD = 1 / 300
WITH_MENTION = 1 / 20
MAX_CHARACTERS = 280
# A large prime, to spread the popular ones over all ids.
SPREAD = 2_654_435_761
# A like or view has the time of a later post; at most so many posts later.
MAX_POSTS_LATER = 500


@dataclass(frozen=True)
class Size:
    users: int
    posts: int
    likes: int
    views: int
    follows: int = 0

    @property
    def rows(self) -> int:
        return self.users + self.posts + self.likes + self.views + self.follows


class Crowd:
    """Users and posts are numbered from 0; the rows have ids and are lines for COPY."""

    def __init__(self, size: Size, seed: int, start: datetime, end: datetime) -> None:
        self.size = size
        self._seed = seed
        self._start = start
        self._step = (end - start) / (size.posts + 1)

    def user_rows(self, first_id: int, password_hash: str) -> Iterator[str]:
        rng = Random(f"{self._seed} users")
        followers = Counter(followed for _, followed in self._follows())
        for user, following in enumerate(self._followed.by_user):
            user_id = first_id + user
            names = f"{rng.choice(FIRST_NAMES)}\t{rng.choice(LAST_NAMES)}"
            yield (
                f"{user_id}\tdemo_{user_id}\t{names}\t{password_hash}\t{self._start}"
                f"\t{followers[user]}\t{following}\n"
            )

    def post_rows(self, first_id: int, first_user: int) -> Iterator[str]:
        rng = Random(f"{self._seed} posts")
        likes, views = Counter(self.likes.posts), Counter(self.views.posts)
        replies = Counter(self._parents)
        write = Writer(rng)
        mention_rng = Random(f"{self._seed} mentions")
        for post, parent in enumerate(self._parents):
            author = first_user + _popular(rng, self.size.users)
            reply_to = "\\N" if parent < 0 else str(first_id + parent)
            counters = f"{likes[post]}\t{views[post]}\t{replies[post]}"
            mentioned = ""
            if mention_rng.random() < WITH_MENTION:
                mentioned = f"@demo_{first_user + _popular(mention_rng, self.size.users)} "
            yield (
                f"{first_id + post}\t{mentioned}{write()}\t{reply_to}\t{author}\t{counters}"
                f"\t{self._moments[post]}\n"
            )

    def mark_rows(self, marks: "Marks", first_post: int, first_user: int) -> Iterator[str]:
        """Likes or views, in the order of the primary key."""
        moments, last = self._moments, self.size.posts
        done = 0
        for user, number in enumerate(marks.by_user):
            for post in marks.posts[done : done + number]:
                moment = moments[min(last, post + 1 + (user + post) % MAX_POSTS_LATER)]
                yield f"{first_user + user}\t{first_post + post}\t{moment}\n"
            done += number

    def follow_rows(self, first_id: int, first_user: int) -> Iterator[str]:
        """In the order of the primary key. That of the ids is another: people do not follow one
        after the other."""
        number, moments = self.size.follows, self._moments
        for row, (follower, followed) in enumerate(self._follows()):
            place = row * SPREAD % number
            moment = moments[place * self.size.posts // number]
            yield (
                f"{first_id + place}\t{first_user + follower}\t{first_user + followed}\t{moment}\n"
            )

    def _follows(self) -> Iterator[tuple[int, int]]:
        """Follower and followed. Who would follow themselves follows the last user, whom the others
        do not choose."""
        last = self.size.users - 1
        chosen = iter(self._followed.posts)
        for follower, following in enumerate(self._followed.by_user):
            for followed in islice(chosen, following):
                yield follower, last if followed == follower else followed

    @cached_property
    def _followed(self) -> "Marks":
        size = self.size
        return Marks(size.users, max(0, size.users - 1), size.follows, f"{self._seed} follows")

    @cached_property
    def likes(self) -> "Marks":
        return Marks(self.size.users, self.size.posts, self.size.likes, f"{self._seed} likes")

    @cached_property
    def views(self) -> "Marks":
        return Marks(self.size.users, self.size.posts, self.size.views, f"{self._seed} views")

    @cached_property
    def _moments(self) -> list[str]:
        """The time of each post, and one more time after the last post."""
        posts = range(self.size.posts + 1)
        return [str(self._start + self._step * (post + 1)) for post in posts]

    @cached_property
    def _parents(self) -> list[int]:
        """For each post the one that it answers, or -1. A post with many replies gets more."""
        rng = Random(f"{self._seed} replies")
        parents: list[int] = []
        answered: list[int] = []
        for post in range(self.size.posts):
            parent = -1
            if post and rng.random() < REPLIES:
                if answered and rng.random() < 0.6:
                    parent = answered[int(len(answered) * rng.random())]
                else:  # one of the newest is more likely
                    parent = int(post * (1 - rng.random() ** 3 / 2))
                parent = min(parent, post - 1)
                answered.append(parent)
            parents.append(parent)
        return parents


class Marks:
    """Pairs of a user and a post. `by_user`: the number of posts for each user; `posts`: the posts
    of all users, one user after the other."""

    def __init__(self, users: int, posts: int, number: int, seed: str) -> None:
        rng = Random(seed)
        self.by_user = _shares(number, users, posts)
        rng.shuffle(self.by_user)
        self.posts = array("q")
        for share in self.by_user:
            self.posts.extend(sorted(_distinct(rng, share, posts)))


def _shares(number: int, users: int, most: int) -> list[int]:
    """Divides a number among the users: the first gets most, the last least, none over `most`."""
    weights = [1 / sqrt(user + 1) for user in range(users)]
    unit = number / sum(weights) if users else 0.0
    shares = [min(most, int(weight * unit)) for weight in weights]
    missing = number - sum(shares)
    while missing:
        open_shares = [user for user, share in enumerate(shares) if share < most]
        more = max(1, missing // len(open_shares))
        for user in open_shares[: missing // more]:
            added = min(more, most - shares[user])
            shares[user] += added
            missing -= added
    return shares


def _distinct(rng: Random, number: int, posts: int) -> set[int]:
    if number * 3 > posts:
        return set(rng.sample(range(posts), number))
    chosen: set[int] = set()
    while len(chosen) < number:
        chosen.add(_popular(rng, posts))
    return chosen


def _popular(rng: Random, number: int) -> int:
    """A number below `number`; a few come much more often than the others."""
    return int(number * rng.random() ** 2 + 1) * SPREAD % number


class Writer:
    """Writes a post at each call, in one of two languages."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._languages = [(words, _zipf(words)) for words in (ENGLISH, RUSSIAN)]
        self._rare = _zipf(RARE)

    def __call__(self) -> str:
        rng = self._rng
        words, weights = self._languages[rng.random() < 0.5]
        chosen = rng.choices(words, cum_weights=weights, k=3 + int(18 * rng.random() ** 2))
        if rng.random() < WITH_RARE_WORD:
            chosen += rng.choices(RARE, cum_weights=self._rare)
        text = " ".join(chosen)
        return f"{text[0].upper()}{text[1 : MAX_CHARACTERS - 1]}{'.!?'[int(3 * rng.random() ** 2)]}"


def _zipf(words: tuple[str, ...]) -> list[float]:
    return list(accumulate(1 / (rank + 1) for rank in range(len(words))))
