"""`manage.py backup` and `restore` as an operator runs them."""

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from cluster import OwnPostgres
from programs import run, sentence
from shop import REDIS, eventually, needs_redis

from migrations.files import MIGRATIONS_DIR, load_migrations
from migrations.runner import migrate
from packages import embedded_postgres
from packages.embedded_postgres.cluster import find_programs

pytestmark = pytest.mark.slow
NEWEST = len(load_migrations())
NEW_USER = """
    INSERT INTO users (user_name, first_name, last_name, password_hash)
    VALUES (%s, 'Борис', E'tab\\tnew\\nline\\\\.', '') RETURNING id
"""
USERS = "SELECT id, user_name, last_name FROM users"
# Every column, index, constraint, trigger and function.
STRUCTURE = """
    SELECT table_name || '.' || column_name || ' ' || data_type || ' '
        || coalesce(column_default, '') || ' ' || is_nullable
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || conname FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgname || ' ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT proname || ' ' || prosrc FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1
"""


class Place:
    """A database with a connection to it, and the settings that name it."""

    def __init__(self, conn, **settings):
        self.conn, self.settings = conn, settings

    def fetch(self, query):
        return self.conn.execute(query).fetchall()

    def manage(self, command, file):
        return run("manage.py", command, str(file), **self.settings)


@contextmanager
def embedded(data_dir):
    server = embedded_postgres.start(data_dir, "gophertalk")
    try:
        with psycopg.connect(**server.conninfo, autocommit=True) as conn:
            yield Place(conn, DATA_DIR=str(data_dir))
    finally:
        server.release()


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory):
    postgres = OwnPostgres(tmp_path_factory.mktemp("cluster") / "postgres")
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.stop()


@pytest.fixture
def new_place(own_postgres, tmp_path):
    """Makes databases, by themselves empty."""
    connections = []

    def make():
        fresh = own_postgres.new_database()
        settings = fresh.settings() | {"DATA_DIR": str(tmp_path / "data")}
        connections.append(fresh.connect())
        connections[-1].row_factory = psycopg.rows.tuple_row
        return Place(connections[-1], **settings)

    yield make
    for conn in connections:
        conn.close()


def fill(place, name, files=MIGRATIONS_DIR):
    """Tables and a user."""
    info = place.conn.info
    keywords = ("host", "port", "user", "password", "dbname")
    migrate({name: getattr(info, name) for name in keywords}, files)
    place.conn.execute(NEW_USER, (f"gopher_{name}",))
    return place


@pytest.fixture
def used(new_place):
    """A user in tables of now, and a row of theirs in the newest."""
    place = fill(new_place(), "used")
    place.conn.execute(
        "INSERT INTO orders (id, user_id, total_price) VALUES (gen_random_uuid(), 1, 0)"
    )
    return place


@pytest.fixture
def back_up(new_place, tmp_path):
    """Makes a backup of a user `gopher_<name>`: `back_up("anna", newest=3)`."""

    def make(name, newest=NEWEST):
        files, file = tmp_path / f"{name}_migrations", tmp_path / f"{name}.dump"
        files.mkdir()
        for path in sorted(MIGRATIONS_DIR.glob("*.sql"))[:newest]:
            shutil.copy(path, files)
        done = fill(new_place(), name, files).manage("backup", file)
        assert (done.returncode, done.stdout) == (0, f"Wrote {file}.\n"), done.stderr
        return file

    return make


def assert_restores(place, file, expected_structure):
    done = place.manage("restore", file)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Restored {file}.")
    assert place.fetch(USERS) == [(1, "gopher_anna", "tab\tnew\nline\\.")]
    assert place.fetch(STRUCTURE) == expected_structure
    assert place.conn.execute(NEW_USER, ("gopher_next",)).fetchone() == (2,)


@pytest.mark.parametrize("newest", sorted({1, 3, NEWEST}))
def test_a_backup_of_older_tables_takes_the_place_of_newer_ones(newest, back_up, used):
    assert_restores(used, back_up("anna", newest), used.fetch(STRUCTURE))


def test_the_embedded_database_from_an_empty_folder_on(back_up, used, tmp_path):
    data_dir, first, second = tmp_path / "data", back_up("anna", 3), tmp_path / "second.dump"
    restored = run("manage.py", "restore", str(first), DATA_DIR=str(data_dir))
    assert restored.returncode == 0, restored.stderr

    with embedded(data_dir) as place:
        assert place.manage("backup", second).returncode == 0
        place.conn.execute(NEW_USER, ("gopher_lost",))
        assert_restores(place, second, used.fetch(STRUCTURE))


def test_only_its_owner_may_read_a_backup_and_a_newer_one_takes_its_place(back_up, used):
    file = back_up("anna")
    before = file.read_bytes()
    assert used.manage("backup", file).returncode == 0

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes() != before
    assert [path.name for path in file.parent.glob("anna.dump*")] == ["anna.dump"]


def no_backup(file, place, back_up):
    file.write_text("DROP TABLE users;")


def cut_short(file, place, back_up):
    file.write_bytes(back_up("anna").read_bytes()[:-2000])


def of_another_application(file, place, back_up):
    place.conn.execute("CREATE TABLE others ()")
    info = place.conn.info
    command = [find_programs() / "pg_dump", "--format=custom", f"--dbname={info.dsn}"]
    subprocess.run([*command, f"--file={file}"], env={"PGPASSWORD": info.password}, check=True)


def of_newer_code(file, place, back_up):
    fill(place, "newer").conn.execute("INSERT INTO schema_migrations VALUES (9999, '9999_new', '')")
    assert place.manage("backup", file).returncode == 0


@pytest.mark.parametrize(
    ("make_file", "expected"),
    [
        (lambda *_: None, "No such file or directory"),
        (no_backup, "is no whole backup"),
        (cut_short, "is no whole backup"),
        (of_another_application, "is no backup of GopherTalk"),
        (of_newer_code, "The database has migration 9999, which this code does not know"),
    ],
)
def test_a_file_that_cannot_be_restored_changes_nothing(
    make_file, expected, back_up, new_place, used, tmp_path
):
    before, file = used.fetch(STRUCTURE), tmp_path / "file.dump"
    make_file(file, new_place(), back_up)
    assert expected in sentence(used.manage("restore", file))

    assert used.fetch(STRUCTURE) == before
    assert [name for _, name, _ in used.fetch(USERS)] == ["gopher_used"]


def test_a_wrong_file_makes_no_database(tmp_path):
    no_backup(tmp_path / "file.dump", None, None)
    refused = run(
        "manage.py", "restore", str(tmp_path / "file.dump"), DATA_DIR=str(tmp_path / "data")
    )

    assert "is no whole backup" in sentence(refused)
    assert not (tmp_path / "data").exists()


def test_where_there_is_nothing_to_keep(new_place, tmp_path):
    file, data_dir = tmp_path / "file.dump", tmp_path / "data"
    no_folder = run("manage.py", "backup", str(file), DATA_DIR=str(data_dir))

    assert sentence(no_folder) == f"There is no database in {data_dir}."
    assert sentence(new_place().manage("backup", file)).startswith("The database is empty")
    assert not file.exists()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/dev/null", "/dev/null is no ordinary file: name another one."),
        ("no/such/folder.dump", "cannot be written: No such file or directory."),
    ],
)
def test_a_place_where_no_backup_can_be(file, expected, used, tmp_path):
    assert sentence(used.manage("backup", tmp_path / file)).endswith(expected)
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_pooler_is_no_way_for_either(command, tmp_path):
    settings = {"DB_HOST": "127.0.0.1", "DB_POOLER": "pgbouncer"}
    refused = run("manage.py", command, "a.dump", DATA_DIR=str(tmp_path), **settings)

    assert "DB_POOLER" in sentence(refused)


def register(server, name):
    """The headers of a new member."""
    names = {"user_name": name, "first_name": "Anna", "last_name": "Petrova"}
    body = {**names, "password": "gopher1!", "password_confirm": "gopher1!"}
    made = httpx.post(f"{server.url}/api/auth/register", json=body)
    return {"Authorization": f"Bearer {made.json()['access_token']}"}


@needs_redis
def test_a_running_server_shows_what_was_restored(start_server, new_place, tmp_path):
    """Who came later is logged out, and no order is shown as it was later."""
    place, file = new_place(), tmp_path / "file.dump"
    place.settings |= {"REDIS_HOST": REDIS[0], "REDIS_TTL_EXPIRE": "600"}
    server = start_server(**{**place.settings, "DATA_DIR": str(tmp_path / "data")})
    early = register(server.wait_until_ready(), "gopher_early")
    ((product,),) = place.fetch(
        "INSERT INTO products (name, price) VALUES ('Mug', 10) RETURNING id"
    )

    def ask(method, path, headers=early, **options):
        return httpx.request(method, f"{server.url}/api/{path}", headers=headers, **options)

    items = [{"product_id": product, "quantity": 1}]
    order = f"orders/{ask('POST', 'orders', json={'items': items}).json()['id']}"
    assert place.manage("backup", file).returncode == 0
    late = register(server, "gopher_late")
    assert ask("PATCH", order, json={"status": "CANCELED"}).status_code == 200
    assert [ask("GET", order).json()["status"] for _ in range(2)] == ["CANCELED"] * 2

    restored = place.manage("restore", file)

    assert (restored.returncode, restored.stdout) == (0, f"Restored {file}.\n"), restored
    assert ask("GET", order).json()["status"] == "PENDING"
    assert ask("GET", "users/me").status_code == 200
    assert eventually(lambda: ask("GET", "users/me", late).status_code == 401)
    again = register(server, "gopher_late")
    assert ask("GET", "users/me", again).json()["user_name"] == "gopher_late"
