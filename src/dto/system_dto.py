"""The answers of the health checks."""

from typing import Literal

from typing_extensions import TypedDict

from dto.fields import documented

State = Literal["ok", "off", "down"]


@documented({"database": "ok", "redis": "off", "rabbitmq": "off"})
class Parts(TypedDict):
    database: State
    redis: State
    rabbitmq: State


@documented({"status": "ready"})
class Status(TypedDict):
    status: str
