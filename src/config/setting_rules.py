"""What a setting may be, and the one line that says so when settings are wrong."""

import re
from collections.abc import Mapping
from email.utils import getaddresses
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from limits import parse_many
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, Url

OWN_PATHS = {"/api", "/docs", "/docs-assets", "/metrics", "/redoc"}

Fields = Mapping[str, FieldInfo]

# For pydantic's kinds of errors. The message of any other error is used as it is.
ALLOWED = {
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number{range}",
    "float_parsing": "must be a number{range}",
    "finite_number": "must be a number{range}",
    "greater_than_equal": "must be a number{range}",
    "less_than_equal": "must be a number{range}",
    "greater_than": "must be a number{range}",
    "string_pattern_mismatch": "may have only letters, digits and . : - _, at most 200 of them",
}

# Printed in the course and in other public examples: allowed on one's own machine, to learn with,
# and refused when others are served.
PUBLISHED_SECRETS = {
    "super_secret_access_token_key",
    "super_secret_refresh_token_key",
}
SECRET_BYTES = 32


def _check_rate(text: str) -> str:
    """`5/minute`, `100/15 seconds`, or `off`."""
    if text.lower() == "off":
        return "off"
    try:
        [_] = parse_many(text)
        valid = all(map(int, re.findall(r"\d+", text)))  # it reads 5/0 seconds as 5/1 second
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("must be one rate, such as 5/minute or 100/15 seconds, or off")
    return text


def _check_host(text: str) -> str:
    if not _is_host(text):
        raise ValueError("must be a host name or an address, without scheme and port")
    return text


def _check_hosts(text: str, also: tuple[str, ...] = ()) -> str:
    """Several with commas; each is a host, or begins as `also` says."""
    hosts = [part.strip() for part in text.split(",")]
    return ",".join(host if host[:1] in also else _check_host(host) for host in hosts)


def _check_ports(text: str) -> str:
    ports = [part.strip() for part in text.split(",")]
    if not all(port.isdecimal() and 1 <= int(port) <= 65535 for port in ports):
        raise ValueError("must be a number from 1 to 65535, one for all hosts or one for each")
    return ",".join(ports)


def _check_address(text: object) -> object:
    """`host` or `host:port`, with brackets around an IPv6 address that has a port."""
    if not isinstance(text, str):
        return text
    host, port = (text, "") if _is_host(text) else text.rpartition(":")[::2]
    return _check_host(host.strip("[]")), int(_check_ports(port)) if port else None


def _is_host(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:  # a name, unless it ends in a number: that would be an address
        return bool(re.fullmatch(r"[\w.-]+", text) and not re.search(r"(^|\.)\d+\.?$", text))
    return True


def _check_origin(text: str) -> str:
    """As browsers write it in `Origin`: lower case, punycode, no default port, no path."""
    try:
        origin = str(Url(text)).removesuffix("/")
    except ValueError:
        origin = ""
    if not re.fullmatch(r"https?://[^/?#@*]+", origin):
        raise ValueError("list origins such as https://app.example.org, or * alone")
    return origin


def _split(value: object) -> object:
    """The parts of a list with commas; what a program passes is taken as it is."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    return origins if origins == ("*",) else tuple(map(_check_origin, origins))


def _check_url_prefix(text: str) -> str:
    """With our own paths nobody could tell whether a proxy has taken the prefix away."""
    prefix = text.rstrip("/")
    if prefix in OWN_PATHS or not re.fullmatch(r"(/[\w~-][\w.~-]*)*", prefix, re.ASCII):
        raise ValueError("must be a path such as /talk, and none of GopherTalk's own")
    return prefix


def _check_mail_address(text: str) -> str:
    found = [address for _, address in getaddresses([text])]
    if len(found) != 1 or not re.fullmatch(r"[^@\s]+@[^@\s]+", found[0]):
        raise ValueError("must be an address, such as GopherTalk <noreply@example.org>")
    return text


def _check_network(text: object) -> object:
    try:
        return ip_network(text) if isinstance(text, str) else text
    except ValueError:
        raise ValueError("list addresses or networks, such as 10.0.0.5, 10.1.0.0/16") from None


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Host = Annotated[str, AfterValidator(_check_host)]
Hosts = Annotated[str, AfterValidator(_check_hosts)]
# libpq also takes the folder of a Unix socket.
DatabaseHosts = Annotated[str, AfterValidator(partial(_check_hosts, also=("/", "@")))]
Ports = Annotated[str, BeforeValidator(str), AfterValidator(_check_ports)]
Address = Annotated[tuple[str, int | None], BeforeValidator(_check_address)]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(_split)]
MailAddress = Annotated[str, AfterValidator(_check_mail_address)]
UrlPrefix = Annotated[str, AfterValidator(_check_url_prefix)]
Rate = Annotated[str, AfterValidator(_check_rate)]
Origins = Annotated[tuple[str, ...], BeforeValidator(_split), AfterValidator(_check_origins)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_check_network)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_split)]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
]
LogFormat = Annotated[Literal["plain", "json"], BeforeValidator(_lower)]


def check_secrets(secrets: dict[str, str], serves_others: bool) -> None:
    """Those that sign tokens, by the variables that set them."""
    if len(secrets) == 1:
        raise ValueError("set ACCESS_TOKEN_SECRET and REFRESH_TOKEN_SECRET, or neither of them")
    if len(set(secrets.values())) < len(secrets):
        raise ValueError("ACCESS_TOKEN_SECRET and REFRESH_TOKEN_SECRET must differ")
    for name, secret in secrets.items():
        if secret in PUBLISHED_SECRETS:
            if serves_others:
                raise ValueError(f"{name}: is a published example: choose your own")
        elif len(secret.encode()) < SECRET_BYTES:
            raise ValueError(f"{name}: must have at least {SECRET_BYTES} bytes")


def describe_faults(error: ValidationError, fields: Fields) -> str:
    """Names every wrong variable, and leaves out its value: it may be a secret."""
    faults: list[str] = []
    for fault in error.errors(include_input=False, include_url=False):
        # A fault of several variables together has no location, and names them in its message.
        name = "".join(f"{part}: ".upper() for part in fault["loc"][:1])
        faults.append(name + _message(fault, fields))
    return "Wrong settings: " + "; ".join(faults)


def _message(fault: ErrorDetails, fields: Fields) -> str:
    message = ALLOWED.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    if "{range}" not in message:
        return message
    return message.format(range=_range_of(fields[str(fault["loc"][0])]))


def _range_of(field: FieldInfo) -> str:
    bounds = field.metadata
    low = [f" from {each.ge}" for each in bounds if isinstance(each, Ge)]
    low += [f" over {each.gt}" for each in bounds if isinstance(each, Gt)]
    high = [f" to {each.le}" for each in bounds if isinstance(each, Le)]
    return "".join(low + high)
