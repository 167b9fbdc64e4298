"""Logging: one line per event, with the request's id, on the console and in a file."""

import json
import logging
from contextvars import copy_context
from logging.handlers import RotatingFileHandler

import pytest

from config.log import configure_logging
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
    [handler] = [
        each for each in logging.getLogger().handlers if isinstance(each, RotatingFileHandler)
    ]
    assert handler.maxBytes > 0
    assert handler.backupCount > 0
    handler.maxBytes = 100
    for number in range(50):
        log.info("a line that is long enough to fill the file soon, number %s", number)

    assert len(list(tmp_path.iterdir())) == handler.backupCount + 1


def test_a_second_call_replaces_the_first(written, tmp_path):
    configure_logging(Settings(log_file=tmp_path / "first.log", loglevel="INFO"))

    assert written(lambda: log.info("hello")).count("hello") == 1
    assert (tmp_path / "first.log").read_text() == ""
