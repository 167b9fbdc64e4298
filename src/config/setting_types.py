"""What a setting may be, with the words that refuse what it may not be."""

import re
from email.utils import parseaddr
from typing import Annotated

from limits import parse_many
from pydantic import AfterValidator, Field

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


def _is_rate(text: str) -> str:
    """`5/minute`, `100/15 seconds`, or `off`."""
    if text.lower() == "off":
        return "off"
    try:
        [rate] = parse_many(text)
    except ValueError:
        rate = None
    if rate is None or rate.amount < 1:
        raise ValueError("give one rate, such as 5/minute or 100/15 seconds, or off")
    return text


def _is_host(text: str) -> str:
    if not re.fullmatch(r"[\w.:%/@-]+", text):
        raise ValueError("must be a host name or an address")
    return text


def _are_hosts(text: str) -> str:
    return ",".join(_is_host(part.strip()) for part in text.split(","))


def _has_address(text: str) -> str:
    if "@" not in parseaddr(text)[1]:
        raise ValueError("must be an address, such as GopherTalk <noreply@example.org>")
    return text


Host = Annotated[str, AfterValidator(_is_host)]
Hosts = Annotated[str, AfterValidator(_are_hosts)]
MailAddress = Annotated[str, AfterValidator(_has_address)]
Rate = Annotated[str, AfterValidator(_is_rate)]
