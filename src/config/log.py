"""Logging: one line per event, plain or JSON, to the console and, when asked, to a file."""

import json
import logging
import logging.config
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.log_file import SharedRotatingFileHandler
from config.settings import Settings, SettingsError
from utils import context

# What a line may carry beside its message. A plain one does not repeat what the message says.
PLAIN_EXTRAS = ("status", "user_id", "route", "request_id")
JSON_EXTRAS = ("method", "path", "ms", *PLAIN_EXTRAS)
# PostgreSQL shows the values of the row that it refuses, which may be anything, hashes too.
ROW_OF_AN_ERROR = re.compile(
    r"^DETAIL:.*?(?=^The above exception|^During handling|\Z)", re.MULTILINE | re.DOTALL
)


class RequestIdFilter(logging.Filter):
    """Puts the id of the request that is being served on every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = context.request_id.get()
        return True


class ScrubbingFormatter(logging.Formatter):
    def formatException(self, ei: Any) -> str:
        return ROW_OF_AN_ERROR.sub("DETAIL: left out\n\n", super().formatException(ei)).rstrip()


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


def _try_to_write(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a").close()
    except OSError as error:
        raise SettingsError(f"Wrong settings: LOG_FILE: {path}: {error.strerror}") from error


def configure_logging(settings: Settings) -> None:
    """May be called again: the last call counts. Raises SettingsError about LOG_FILE."""
    handlers: dict[str, Any] = {"console": {"class": "logging.StreamHandler"}}
    if settings.log_file:
        _try_to_write(settings.log_file)
        handlers["file"] = {
            "()": SharedRotatingFileHandler,
            "path": settings.log_file,
            "max_bytes": 10_000_000,
            "backups": 5,
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
                # Says nothing at INFO that a reader of this log could use.
                "psycopg.pool": {"level": "ERROR"},
                # Relay and consumer say in one line what matters.
                "pika": {"level": "CRITICAL"},
                "watchfiles": {"level": "WARNING"},
            },
        }
    )
