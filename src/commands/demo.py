"""The demo community, with a progress bar."""

from collections.abc import Iterable, Iterator

from tqdm import tqdm

from config.startup import exit_on_startup_error, exit_with_error, open_resources, settings_or_exit
from demo.crowd import Size
from services import demo_service
from services.access_rules import SYSTEM, acting_as
from utils.errors import Conflict


def seed_demo(size: Size, seed: int, force: bool) -> None:
    settings = settings_or_exit()
    with exit_on_startup_error(settings), open_resources(settings, require_database=True):
        try:
            first = _seed(size, seed, settings.bcrypt_rounds, force)
        except Conflict as error:
            remedy = "Rename them." if force else "With --force the new data are added to them."
            exit_with_error(f"{error}. {remedy}")
    print(
        f"{size.users} users, demo_{first} to demo_{first + size.users - 1}, all with the password "
        f"{demo_service.PASSWORD}; {size.posts} posts, {size.likes} likes, {size.views} views, "
        f"{size.follows} follows."
    )


def _seed(size: Size, seed: int, rounds: int, force: bool) -> int:
    never = float("inf")
    bar = tqdm(total=size.rows, unit=" rows", unit_scale=True, delay=never)
    with acting_as(SYSTEM), bar:

        def with_progress(rows: Iterable[str]) -> Iterator[str]:
            bar.delay = 0.0  # it is drawn from now on: the command has not refused
            for row in rows:
                yield row
                bar.update()

        return demo_service.seed(size, seed, rounds, with_progress, force)
