"""What the server logs when it starts: its address, and which parts are on."""

import logging

from config.settings import LOOPBACK_HOSTS, Settings
from server.address import base_url

log = logging.getLogger("gophertalk.serve")


def log_overview(settings: Settings) -> None:
    """One line for each part."""
    for part, state in _parts(settings).items():
        log.info("%-14s %s", part, state)


def _parts(settings: Settings) -> dict[str, str]:
    url = base_url(settings)
    own_database = f"the server's own, in {settings.data_dir}"
    mail_off = "goes to this log" if settings.host in LOOPBACK_HOSTS else "is not sent"
    return {
        "GopherTalk": f"{url}/api (Ctrl-C stops it)",
        "documentation": f"{url}/docs" if settings.docs_enabled else "off (DOCS_ENABLED)",
        "metrics": f"{url}/metrics" if settings.metrics_enabled else "off (METRICS_ENABLED)",
        "database": _server(settings.db_host, settings.db_port, settings.db_name) or own_database,
        "Redis": _server(settings.redis_host, settings.redis_port)
        or _server(settings.redis_sentinel_name, "found by Sentinel")
        or "off: orders are not cached, each process counts limits for itself (REDIS_HOST)",
        "RabbitMQ": _server(settings.rmq_host, settings.rmq_port)
        or "off: events are handled in this server (RMQ_HOST)",
        "mail": _server(settings.smtp_host, settings.smtp_port)
        or f"off: mail {mail_off} (SMTP_HOST)",
    }


def _server(host: str | None, port: int | str, name: str = "") -> str:
    """Empty without a host."""
    return f"{host}:{port} {name}".rstrip() if host else ""
