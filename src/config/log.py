"""Logging: one line per event, plain or JSON, to the console and, when asked, to a file."""

import errno
import json
import logging
import logging.config
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from logging.handlers import WatchedFileHandler
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, TextIO

from config.settings import Settings, SettingsError
from packages.file_lock import FileLock
from utils import context

MAX_FILE_BYTES = 10_000_000
OLD_FILES = 5
# What a line may have beside its message. A plain line does not repeat parts of its message.
PLAIN_EXTRAS = ("status", "user_id", "route", "request_id", "traceparent")
JSON_EXTRAS = ("method", "path", "ms", *PLAIN_EXTRAS)
# In the detail of an error PostgreSQL shows the values of the row, which may be secret.
ROW_IN_AN_ERROR = re.compile(
    r"^DETAIL:.*?(?=^The above exception|^During handling|\Z)", re.MULTILINE | re.DOTALL
)


class RequestIdFilter(logging.Filter):
    """Adds the id of the current request, and the trace that it is part of, to every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = context.request_id.get()
        record.traceparent = context.traceparent.get()
        return True


class ScrubbingFormatter(logging.Formatter):
    """Removes the values of rows from the text of an exception."""

    def formatException(self, ei: Any) -> str:
        return ROW_IN_AN_ERROR.sub("DETAIL: left out\n\n", super().formatException(ei)).rstrip()


class PlainFormatter(ScrubbingFormatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        extras = " ".join(f"{name}={value}" for name, value in _extras(record, PLAIN_EXTRAS))
        head, newline, rest = line.partition("\n")
        return f"{head} {extras}".rstrip() + newline + rest


class JsonFormatter(ScrubbingFormatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **dict(_extras(record, JSON_EXTRAS)),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def _extras(record: logging.LogRecord, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    values = record.__dict__
    return ((name, values[name]) for name in names if values.get(name) is not None)


class ConsoleHandler(logging.StreamHandler[TextIO]):
    """Ends the program in order when the terminal or pipe behind the console was closed."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError) or error.errno not in (errno.EPIPE, errno.EIO):
            super().handleError(record)
            return
        # What is left in the stream's buffer must not fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
        if parent_process():  # we are a worker, and the supervisor stops us all
            os.kill(os.getppid(), signal.SIGTERM)
        else:
            signal.raise_signal(signal.SIGTERM)


class SharedRotatingFileHandler(WatchedFileHandler):
    """Keeps `app.log` and the older `app.log.1` to `app.log.<old_files>`, for several processes.

    With the standard library's RotatingFileHandler two processes can rename the files at the same
    time, which loses lines. Here a process renames them under a file lock, and the others notice
    before their next line that the name stands for another file.
    """

    def __init__(self, path: Path, max_bytes: int, old_files: int) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self.path, self.max_bytes, self.old_files = path, max_bytes, old_files

    def emit(self, record: logging.LogRecord) -> None:
        # Windows renames no file that another process has open: then the file grows on.
        with suppress(OSError):
            if self._is_full():
                self._rotate()
        super().emit(record)

    def _is_full(self) -> bool:
        return os.stat(self.path).st_size >= self.max_bytes

    def _rotate(self) -> None:
        with FileLock(self.path.with_name(f"{self.path.name}.lock")) as lock:
            lock.lock_exclusive()
            if not self._is_full():  # another process was faster
                return
            if self.stream:  # Windows renames no open file; the next line opens the new one
                self.stream.close()
                self.stream = None
            names = [self.path, *(Path(f"{self.path}.{n + 1}") for n in range(self.old_files))]
            for newer, older in reversed(list(pairwise(names))):
                if newer.exists():
                    newer.replace(older)


def _check_writable(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.open("a").close()
    except OSError as error:
        raise SettingsError(f"Wrong settings: LOG_FILE: {path}: {error.strerror}") from error


def configure_logging(settings: Settings) -> None:
    """May be called again: the last call counts. Raises SettingsError for LOG_FILE."""
    handlers: dict[str, Any] = {"console": {"()": ConsoleHandler}}
    if settings.log_file:
        _check_writable(settings.log_file)
        handlers["file"] = {
            "()": SharedRotatingFileHandler,
            "path": settings.log_file,
            "max_bytes": MAX_FILE_BYTES,
            "old_files": OLD_FILES,
        }
    for handler in handlers.values():
        handler |= {"formatter": settings.log_format, "filters": ["request_id"]}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"request_id": {"()": RequestIdFilter}},
            "formatters": {
                "plain": {
                    "()": PlainFormatter,
                    "format": "%(asctime)s %(levelname)s %(message)s",
                },
                "json": {"()": JsonFormatter},
            },
            "handlers": handlers,
            "root": {"level": settings.loglevel, "handlers": list(handlers)},
            "loggers": {
                # Its lines at INFO and WARNING are no use to an operator.
                "psycopg.pool": {"level": "ERROR"},
                # The relay and the consumer log each failure of RabbitMQ in one line.
                "pika": {"level": "CRITICAL"},
                "watchfiles": {"level": "WARNING"},
            },
        }
    )
