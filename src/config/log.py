"""Logging: one line per event, plain or JSON, to the console and, when asked, to a file."""

import json
import logging
import logging.config
from typing import Any

from config.settings import Settings
from utils import context

EXTRAS = ("status", "user_id")


class RequestIdFilter(logging.Filter):
    """Puts the id of the request that is being served on every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = context.request_id.get()
        return True


class PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        extras = " ".join(f"{name}={value}" for name, value in _extras(record).items())
        head, newline, rest = line.partition("\n")
        return f"{head} {extras}".rstrip() + newline + rest


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extras(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    names = (*EXTRAS, "request_id")
    values = {name: getattr(record, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def configure_logging(settings: Settings) -> None:
    """May be called again: the last call counts."""
    handlers: dict[str, Any] = {"console": {"class": "logging.StreamHandler"}}
    if settings.log_file:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        handlers["file"] = {
            "class": "logging.handlers.RotatingFileHandler",
            "filename": str(settings.log_file),
            "maxBytes": 10_000_000,
            "backupCount": 5,
            "encoding": "utf-8",
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
