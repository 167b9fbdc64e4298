"""The command line: one function for each command, with its help.

A command imports what it needs when it runs, so that `--help` and completion are fast.
"""

from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command, get_group

HELP = {"help_option_names": ["-h", "--help"]}
COUNT = typer.Option(min=0, metavar="N")

program = typer.Typer(
    help="GopherTalk's command line. Settings come from the environment and the file .env. "
    "`--version` prints the version.",
    epilog="Example: python3 src/manage.py serve",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def run(command: str = "") -> None:
    """Run the command of that name, or without a name the one that sys.argv names."""
    chosen = get_group(program).commands[command] if command else get_command(program)
    chosen.context_settings.update(HELP)
    chosen()


@program.command(epilog="Example: PORT=3001 python3 src/manage.py serve")
def serve() -> None:
    """Serve the API until Ctrl-C, as `python3 src/app.py` does.

    Starts a PostgreSQL of its own unless DB_HOST names one, and brings the tables up to date.
    """
    from config.startup import settings_or_exit
    from server.serve import serve

    serve(settings_or_exit())


@program.command(epilog="Example: DB_HOST=db.example.org python3 src/manage.py migrate")
def migrate() -> None:
    """Bring the tables up to date, and end.

    The server does it when it starts, unless MIGRATE_ON_START is false. It can run again, and on
    several machines at the same time.
    """
    from commands.database import migrate

    migrate()


@program.command(epilog="Example: python3 src/manage.py create-superuser --user-name gopher_boss")
def create_superuser(
    user_name: str = "admin",
    password: Annotated[
        str | None,
        typer.Option(
            help="With - it is read from the standard input. Left out: a random one, printed."
        ),
    ] = None,
) -> None:
    """Create the administrator, once.

    A second run changes nothing. The server may be running.
    """
    from commands.superuser import create_superuser

    create_superuser(user_name, password)


@program.command(epilog="Example: python3 src/manage.py seed-demo --users 1000 --posts 10000")
def seed_demo(
    users: Annotated[int, COUNT] = 100,
    posts: Annotated[int, COUNT] = 1000,
    likes: Annotated[int | None, COUNT] = None,
    views: Annotated[int | None, COUNT] = None,
    follows: Annotated[int | None, COUNT] = None,
    seed: Annotated[int, typer.Option(help="Another number gives another community.")] = 1,
    force: Annotated[
        bool, typer.Option("--force", help="Add to the data that are there already.")
    ] = False,
) -> None:
    """Fill an empty database with an invented community.

    The users are called demo_1, demo_2, ... and all have the password gopher1! Unless you say
    otherwise, a post has five likes and ten views on average, and a user follows ten others, as far
    as there are users enough.
    """
    from commands.demo import seed_demo
    from demo.crowd import Size

    if posts and not users:
        raise typer.BadParameter("there can be no posts without users")
    most = users * posts
    likes = min(5 * posts, most) if likes is None else likes
    views = min(10 * posts, most) if views is None else views
    if max(likes, views) > most:
        raise typer.BadParameter(
            "a user can like and view a post only once: at most users times posts"
        )
    most = users * max(0, users - 1)
    follows = min(10 * users, most) if follows is None else follows
    if follows > most:
        raise typer.BadParameter("a user can follow each of the others only once")
    seed_demo(Size(users, posts, likes, views, follows), seed, force)


@program.command(epilog="Example: RMQ_HOST=127.0.0.1 python3 src/manage.py worker")
def worker() -> None:
    """Handle the events that the server sends through RabbitMQ, until Ctrl-C.

    Any number of them can run. Without RabbitMQ none is needed: the server handles its events
    itself.
    """
    from commands.consumer import work

    work()


@program.command(epilog="Example: python3 src/manage.py backup gophertalk.dump")
def backup(file: Path) -> None:
    """Write everything in the database to a file.

    The server may run meanwhile. Only you may read the file: it holds private data of members.
    """
    from commands.backup import backup

    backup(file)


@program.command(epilog="Example: python3 src/manage.py restore gophertalk.dump")
def restore(file: Path) -> None:
    """Replace everything in the database by what a backup holds.

    If it fails, nothing has changed. A backup from an older version is brought up to date. The
    server may run meanwhile: its requests wait, or are answered 503.
    """
    from commands.backup import restore

    restore(file)


@program.command(epilog="Example: python3 src/manage.py openapi --output openapi.json")
def openapi(
    output: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
) -> None:
    """Print the OpenAPI document, from which clients can be generated. Needs no database."""
    from commands.document import print_openapi

    print_openapi(output)
