"""The state of the parts that GopherTalk stands on."""

from typing import Literal

from typing_extensions import TypedDict

State = Literal["ok", "off", "down"]


class Parts(TypedDict):
    database: State
    redis: State
    rabbitmq: State
