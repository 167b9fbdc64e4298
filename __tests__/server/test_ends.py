"""Whatever ends a program, it ends in order: with its PostgreSQL, and without being told twice."""

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress

import httpx
import pytest
from processes import eventually, postmasters
from tcp_proxy import free_port

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.slow

# In a session of its own, whose terminal is its standard input, as in a terminal window.
IN_A_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
SERVERS = [{"WORKERS": "1"}, {"WORKERS": "2"}, {"RELOAD": "true"}]
every_server = pytest.mark.parametrize("settings", SERVERS, ids=["one", "two", "reload"])


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def start(data_dir):
    """A function that starts a program; what it leaves behind is killed at the end."""
    started = []

    def start(program, *arguments, prefix=(), settings=None, **streams):
        command = [sys.executable, str(PROJECT_ROOT / "src" / program), *arguments]
        own = {"ENV_FILE": os.devnull, "DATA_DIR": str(data_dir), "BCRYPT_ROUNDS": "4"}
        environment = {"PATH": os.environ["PATH"], **own, **(settings or {})}
        process = subprocess.Popen(
            [*prefix, *command], env=environment, start_new_session=True, **streams
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    for pid in postmasters(data_dir):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def serve(start):
    """A function that starts a server and waits until all of it is ready."""

    def serve(settings, **how):
        port = free_port()
        process = start("app.py", settings={"PORT": str(port), **settings}, **how)
        url = f"http://127.0.0.1:{port}/api/readyz"

        def answers():
            try:
                return httpx.get(url).status_code == 200
            except httpx.TransportError:
                return False

        eventually(answers)
        return process, url

    return serve


def ended(process, data_dir):
    """Its exit code. None of its servers is left."""
    code = process.wait(30)
    eventually(lambda: postmasters(data_dir) == [])
    return code


@every_server
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_signal_sent_twice_to_the_whole_group(settings, number, serve, data_dir):
    """A closed terminal does it: the kernel sends SIGHUP, and the shell once more."""
    process, _ = serve(settings, stderr=subprocess.DEVNULL)
    os.killpg(process.pid, number)
    time.sleep(0.02)
    os.killpg(process.pid, number)

    assert ended(process, data_dir) == 0


@every_server
@pytest.mark.parametrize("prefix", [[], [sys.executable, "-c", IN_A_TERMINAL]])
def test_a_terminal_that_is_closed(settings, prefix, serve, data_dir):
    """Of a session of its own it is the end of all; otherwise the next line of the log fails."""
    ours, its = pty.openpty()
    process, url = serve(settings, prefix=prefix, stdin=its, stdout=its, stderr=its)
    os.close(its)
    os.close(ours)
    ask(url)

    assert ended(process, data_dir) == 0


@every_server
def test_a_pipe_that_is_closed(settings, serve, data_dir):
    """`python3 src/app.py 2>&1 | head -1`"""
    process, url = serve(settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdout.read1(1000)
    process.stdout.close()
    ask(url)

    assert ended(process, data_dir) == 0


@every_server
def test_streams_that_are_closed_from_the_start(settings, serve, data_dir):
    process, url = serve(settings, prefix=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])
    assert httpx.get(url).status_code == 200
    process.terminate()

    assert ended(process, data_dir) == 0


def test_what_ignores_the_hang_up_stays(serve, data_dir):
    process, url = serve({}, prefix=["nohup"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.killpg(process.pid, signal.SIGHUP)
    time.sleep(1)

    assert httpx.get(url).status_code == 200
    process.terminate()
    assert ended(process, data_dir) == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_command_in_the_middle_of_its_work(number, start, data_dir):
    command = ["seed-demo", "--users", "1000", "--posts", "100000"]
    process = start("manage.py", *command, stderr=subprocess.DEVNULL)
    eventually(lambda: (data_dir / "postgres" / "postmaster.pid").exists())
    process.send_signal(number)
    process.send_signal(number)

    assert ended(process, data_dir) == 130


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_the_consumer(number, start, data_dir):
    """Without a RabbitMQ, which it looks for until it is stopped."""
    nowhere = {"RMQ_HOST": "127.0.0.1", "RMQ_PORT": "1"}
    process = start("worker.py", settings=nowhere, stderr=subprocess.PIPE)
    for line in process.stderr:
        if b"reconnects" in line:
            break
    process.send_signal(number)

    assert ended(process, data_dir) == 0


def ask(url):
    """For a line in the log of a server that may have ended."""
    with suppress(httpx.TransportError):
        httpx.get(url)
