"""Logging: one line per event, with the request's id, on the console and in a file."""

import json
import logging
import subprocess
import sys
from contextvars import copy_context
from pathlib import Path

import pytest

from config import log as config_log
from config.log import SharedRotatingFileHandler, configure_logging
from config.settings import Settings
from utils import context

log = logging.getLogger("gophertalk.tests")


@pytest.fixture(autouse=True)
def restore_logging():
    """Leave the root logger as pytest had it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def written(tmp_path):
    """Configure, run something in a request of its own, and read what the file has then."""
    path = tmp_path / "logs" / "app.log"

    def written(what, request_id="r1", loglevel="INFO", **settings):
        configure_logging(Settings(log_file=path, loglevel=loglevel, **settings))

        def request():
            context.request_id.set(request_id)
            what()

        copy_context().run(request)
        return path.read_text("utf-8")

    return written


def fail():
    try:
        raise ZeroDivisionError("on purpose")
    except ZeroDivisionError:
        log.exception("it broke")


class TestPlain:
    def test_a_line_has_level_message_extras_and_request_id(self, written):
        line = written(
            lambda: log.info("GET %s", "/api/posts", extra={"status": 200, "user_id": 7})
        )

        assert line.endswith(" INFO GET /api/posts status=200 user_id=7 request_id=r1\n")
        assert line.count("\n") == 1

    def test_a_line_has_the_trace(self, written):
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

        def work():
            context.continue_trace(trace)
            log.info("hello")

        assert written(work).endswith(f" INFO hello request_id=r1 traceparent={trace}\n")

    def test_what_is_not_known_is_left_out(self, written):
        line = written(lambda: log.info("hello", extra={"user_id": None}), request_id=None)

        assert line.endswith(" INFO hello\n")

    def test_a_traceback_follows_the_line(self, written):
        first, *rest = written(fail).splitlines()

        assert first.endswith("ERROR it broke request_id=r1")
        assert rest[0] == "Traceback (most recent call last):"
        assert rest[-1] == "ZeroDivisionError: on purpose"

    def test_alphabets_are_kept(self, written):
        assert "привет 🐹" in written(lambda: log.info("привет 🐹"))


class TestJson:
    def test_a_line_is_one_object(self, written):
        text = written(
            lambda: log.info("GET %s", "/api/posts", extra={"status": 200, "user_id": 7}),
            log_format="json",
        )
        entry = json.loads(text)

        assert entry.pop("time")
        assert entry == {
            "level": "INFO",
            "logger": "gophertalk.tests",
            "message": "GET /api/posts",
            "status": 200,
            "user_id": 7,
            "request_id": "r1",
        }

    @pytest.mark.parametrize("message", ["two\nlines", 'a "quote"', "привет 🐹", "\x1b[31m", "\0"])
    def test_any_message_stays_on_one_line(self, written, message):
        text = written(lambda: log.info("%s", message), log_format="json")

        assert text.count("\n") == 1
        assert json.loads(text)["message"] == message

    def test_alphabets_are_kept(self, written):
        assert "привет 🐹" in written(lambda: log.info("привет 🐹"), log_format="json")

    def test_a_traceback_is_part_of_the_object(self, written):
        text = written(fail, log_format="json")

        assert text.count("\n") == 1
        assert "ZeroDivisionError: on purpose" in json.loads(text)["exception"]


@pytest.mark.parametrize(("loglevel", "lines"), [("DEBUG", 3), ("INFO", 2), ("WARNING", 1)])
def test_the_level_is_a_setting(written, loglevel, lines):
    def talk():
        log.debug("1")
        log.info("2")
        log.warning("3")

    assert len(written(talk, loglevel=loglevel).splitlines()) == lines


def test_without_a_file_the_console_is_all(capsys):
    configure_logging(Settings(loglevel="INFO"))
    log.info("hello")

    assert len(logging.getLogger().handlers) == 1
    assert "INFO hello" in capsys.readouterr().err


def test_the_file_is_rotated_and_the_old_ones_are_bounded(tmp_path):
    configure_logging(Settings(log_file=tmp_path / "app.log", loglevel="INFO"))
    handlers = logging.getLogger().handlers
    [handler] = [each for each in handlers if isinstance(each, SharedRotatingFileHandler)]
    assert handler.max_bytes > 0
    assert handler.old_files > 0
    handler.max_bytes = 100
    for number in range(50):
        log.info("a line that is long enough to fill the file soon, number %s", number)

    assert len(list(tmp_path.glob("app.log*"))) == handler.old_files + 2  # and the lock


WRITER = """
import logging, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from config.log import SharedRotatingFileHandler
log = logging.getLogger("gophertalk.tests")
log.addHandler(SharedRotatingFileHandler(Path(sys.argv[2]), max_bytes=20_000, old_files=1000))
for number in range(3000):
    log.warning("%s %s %s", sys.argv[3], number, "x" * 50)
"""


def test_several_processes_rotate_one_file_without_losing_a_line(tmp_path):
    source, path = str(Path(config_log.__file__).parents[1]), str(tmp_path / "app.log")
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, source, path, name], stderr=subprocess.PIPE)
        for name in "abc"
    ]
    complaints = [each.communicate()[1] for each in writers]

    files = [each for each in tmp_path.iterdir() if each.suffix != ".lock"]
    lines = [line for each in files for line in each.read_text().splitlines()]
    assert complaints == [b"", b"", b""]
    assert sorted(lines) == sorted(f"{a} {n} {'x' * 50}" for a in "abc" for n in range(3000))
    assert len(files) > 10


def test_a_file_that_somebody_else_has_moved_is_begun_anew(written, tmp_path):
    def talk():
        log.info("before")
        (tmp_path / "logs" / "app.log").rename(tmp_path / "moved.log")
        log.info("after")

    assert "after" in written(talk)
    assert "before" in (tmp_path / "moved.log").read_text()


@pytest.mark.parametrize("log_format", ["plain", "json"])
def test_a_row_that_postgresql_refuses_is_not_shown(written, log_format):
    def refuse():
        words = 'violates "ck__users"\nDETAIL:  Failing row contains (1, $2b$12$hash,\n\nline two).'
        try:
            try:
                raise ZeroDivisionError(words)
            except ZeroDivisionError as error:
                raise ValueError("the second") from error
        except ValueError:
            log.exception("it broke")

    text = written(refuse, log_format=log_format)
    for shown in ("it broke", "ck__users", "ValueError: the second"):
        assert shown in text
    for hidden in ("hash", "line two"):
        assert hidden not in text


def test_a_second_call_replaces_the_first(written, tmp_path):
    configure_logging(Settings(log_file=tmp_path / "first.log", loglevel="INFO"))

    assert written(lambda: log.info("hello")).count("hello") == 1
    assert (tmp_path / "first.log").read_text() == ""
