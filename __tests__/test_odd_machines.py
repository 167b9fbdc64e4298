"""Small machines and odd accounts: GopherTalk works on them, or one sentence says what to do."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest
from programs import run, sentence
from tcp_proxy import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Linux's limits, accounts and file names"),
]

PROGRAMS = ["app.py", "create_superuser.py", "migrate.py", "seed_demo.py", "worker.py"]
every_program = pytest.mark.parametrize("program", PROGRAMS)
# What is run at the start of a program.
NO_TEMPORARY_FOLDER = "import tempfile; tempfile._candidate_tempdir_list = lambda: []"
FEW_THREADS = """
import threading
left, start = {}, threading._start_new_thread
def limited(*args):
    global left
    left -= 1
    if left < 0:
        raise RuntimeError("can't start new thread")
    return start(*args)
threading._start_new_thread = limited
"""
NAMES = {
    "bytes": (b"caf\xe9", {}),
    "letters in an ASCII locale": ("данные".encode(), {"LC_ALL": "C", "PYTHONUTF8": "0"}),
}


@pytest.fixture
def folder():
    """With a short path, which can be that of PostgreSQL's socket."""
    with tempfile.TemporaryDirectory(prefix="odd-") as folder:
        yield Path(folder)


def odd(folder: Path, code: str) -> dict[str, str]:
    """Settings for a program that runs the code first."""
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(folder), **plain(folder)}


def plain(folder: Path) -> dict[str, str]:
    """Settings with which each program gets as far as to the database."""
    needed = {"PORT": str(free_port()), "RMQ_HOST": "127.0.0.1"}
    return {"DATA_DIR": str(folder / "data"), **needed}


def limited(limit: str) -> list[str]:
    return ["sh", "-c", f'ulimit {limit} && exec "$@"', "sh"]


class TestTemporaryFolders:
    def test_none_is_needed(self, folder):
        assert run("migrate.py", **odd(folder, NO_TEMPORARY_FOLDER)).returncode == 0

    @every_program
    def test_none_for_a_data_folder_that_needs_a_shorter_name(self, program, folder):
        settings = odd(folder, NO_TEMPORARY_FOLDER) | {"DATA_DIR": str(folder / ("long" * 30))}
        said = sentence(run(program, **settings))

        assert said.startswith(f"The path {settings['DATA_DIR']}/postgres cannot be a socket's")
        assert said.endswith("set TMPDIR to a folder of your own.")

    def test_none_for_the_figures_of_several_workers(self, folder):
        said = sentence(run("app.py", WORKERS="2", **odd(folder, NO_TEMPORARY_FOLDER)))

        assert said == "No temporary folder can be written. Name one of your own in TMPDIR."

    def test_one_that_cannot_be_written(self, folder):
        """TMPDIR is as long as the path: then the name would be made in /tmp, here without it."""
        code = "import os\ndef refuse(*args): raise PermissionError(13, 'no', args[1])\n"
        settings = odd(folder, f"{code}os.symlink = refuse")
        settings["DATA_DIR"] = str(folder / ("long" * 30))

        assert "set TMPDIR" in sentence(run("migrate.py", **settings))


class TestLimits:
    @every_program
    def test_no_threads(self, program, folder):
        said = sentence(run(program, **odd(folder, FEW_THREADS.format(0))))

        assert said.startswith("No more threads or processes can be started. Raise the limit")

    def test_too_few_threads_for_the_server(self, folder):
        for threads in (4, 8, 12):  # it starts thirteen
            said = sentence(run("app.py", **odd(folder, FEW_THREADS.format(threads))))
            assert said.startswith("No more threads or processes can be started. Raise the limit")

    @pytest.mark.parametrize(
        ("program", "files"), [*((each, 8) for each in PROGRAMS), ("app.py", 20)]
    )
    def test_too_few_files(self, program, files, folder):
        """With 20 it is PostgreSQL that has too few."""
        said = sentence(run(program, prefix=limited(f"-n {files}"), **plain(folder)))

        assert said == "Too few files may be open at once. Raise the limit (`ulimit -n`)."


class TestAccounts:
    @pytest.fixture
    def nameless(self):
        """What starts a program as user 54321, who is in no list of users."""
        prefix = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]
        if shutil.which("unshare") is None or subprocess.run([*prefix, "true"]).returncode != 0:
            pytest.skip("namespaces of users are not allowed")
        return prefix

    def test_without_a_name_there_is_no_new_database(self, nameless, folder):
        said = sentence(run("migrate.py", prefix=nameless, DATA_DIR=str(folder / "data")))

        assert said == (
            "The user 54321 has no name on this machine, and PostgreSQL needs one to make a data "
            "folder: add the user to /etc/passwd."
        )

    @every_program
    def test_without_a_name_and_without_rights(self, program, nameless, folder):
        folder.chmod(0o500)
        said = sentence(run(program, prefix=nameless, **plain(folder)))

        assert "Permission denied" in said
        assert said.endswith("Give it to the user 54321, or name another folder in DATA_DIR.")

    def test_what_we_make_can_be_read_by_nobody_else(self, folder):
        data_dir, log = folder / "a" / "data", folder / "b" / "logs" / "app.log"
        prefix = ["sh", "-c", 'umask 000 && exec "$@"', "sh"]
        done = run("migrate.py", prefix=prefix, DATA_DIR=str(data_dir), LOG_FILE=str(log))

        assert done.returncode == 0
        assert mode(data_dir) == mode(log.parent) == 0o700
        changeable = [each for each in folder.rglob("*") if mode(each) & 0o022]
        assert [each for each in changeable if not each.is_socket()] == []

    def test_a_log_in_the_data_folder_does_not_open_it(self, folder):
        data_dir = folder / "data"
        done = run("migrate.py", DATA_DIR=str(data_dir), LOG_FILE=str(data_dir / "app.log"))

        assert (done.returncode, mode(data_dir)) == (0, 0o700)


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


@pytest.mark.parametrize(("name", "locale"), NAMES.values(), ids=NAMES)
class TestFileNames:
    def test_a_data_folder_a_log_and_a_backup(self, name, locale, folder):
        own = folder / os.fsdecode(name)
        settings = {"DATA_DIR": str(own), "LOG_FILE": str(own / "log" / "app.log"), **locale}
        done = [
            run("migrate.py", **settings),
            run("create_superuser.py", **settings),
            run("manage.py", "backup", str(own / "dump"), **settings),
            run("manage.py", "restore", str(own / "dump"), **settings),
        ]
        assert [(each.returncode, each.stderr) for each in done] == [(0, "")] * 4

    def test_a_server(self, name, locale, folder, start_server):
        server = start_server(folder / os.fsdecode(name), LOG_FORMAT="json", WORKERS="2", **locale)
        assert httpx.get(f"{server.wait_until_ready().url}/docs").status_code == 200
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text(errors="replace")

    def test_what_cannot_be_written(self, name, locale, folder):
        output = str(folder / os.fsdecode(name) / "openapi.json")
        said = sentence(run("manage.py", "openapi", "--output", output, **locale))

        assert said.endswith("openapi.json cannot be written: No such file or directory.")
