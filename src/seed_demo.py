"""Fills an empty database with a demo community: `python3 src/seed_demo.py --posts 10000`.

The users are called demo_1, demo_2, ... and all log in with the password gopher1!
"""

import argparse
import sys
from collections.abc import Iterable, Iterator

from tqdm import tqdm

from config.log import configure_logging
from config.startup import StartupError, exit_with, running, settings_or_exit
from demo.crowd import Size
from services import demo_service
from utils.errors import Conflict, Unavailable


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("users", 100), ("posts", 1000), ("likes", 5000), ("views", 10000)):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"{default}")
    parser.add_argument("--seed", type=int, default=1, help="another number, another community")
    parser.add_argument("--force", action="store_true", help="add to what is there already")
    asked = parser.parse_args()
    if min(asked.users, asked.posts, asked.likes, asked.views) < 0:
        parser.error("numbers cannot be negative")
    if asked.posts and not asked.users:
        parser.error("posts need users")
    if max(asked.likes, asked.views) > asked.users * asked.posts:
        parser.error("a user likes, and views, a post once: that is at most users times posts")
    return asked


def main() -> None:
    asked = arguments()
    size = Size(asked.users, asked.posts, asked.likes, asked.views)
    settings = settings_or_exit()
    configure_logging(settings)
    with tqdm(total=size.rows, unit=" rows", unit_scale=True) as bar:

        def counted(rows: Iterable[str]) -> Iterator[str]:
            for row in rows:
                yield row
                bar.update()

        try:
            with running(settings):
                first = demo_service.seed(
                    size, asked.seed, settings.bcrypt_rounds, counted, asked.force
                )
        except Conflict as error:
            sys.exit(f"{error}. Nothing was changed; --force adds to them.")
        except (StartupError, Unavailable) as error:
            exit_with(str(error))
    print(
        f"{size.users} users, demo_{first} to demo_{first + size.users - 1}, all with the password "
        f"{demo_service.PASSWORD}; {size.posts} posts, {size.likes} likes, {size.views} views."
    )


if __name__ == "__main__":
    main()
