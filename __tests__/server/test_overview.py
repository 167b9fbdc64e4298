"""What the server says of itself when it starts."""

import logging

import pytest

from config.settings import Settings
from server import overview

EVERYTHING = {
    "db_host": "db.example.org",
    "db_name": "talk",
    "redis_host": "cache.example.org",
    "rmq_host": "broker.example.org",
    "smtp_host": "mail.example.org",
}


@pytest.fixture
def said(caplog):
    def of(**settings):
        caplog.clear()
        with caplog.at_level(logging.INFO, "gophertalk.serve"):
            overview.log_overview(Settings(**settings))
        return {line[:15].strip(): line[15:] for line in caplog.messages}

    return of


def test_with_no_settings_it_says_what_is_off_and_what_would_switch_it_on(said, tmp_path):
    assert said(data_dir=tmp_path) == {
        "GopherTalk": "http://127.0.0.1:3000/api (Ctrl-C stops it)",
        "documentation": "http://127.0.0.1:3000/docs",
        "metrics": "http://127.0.0.1:3000/metrics",
        "database": f"the server's own, in {tmp_path}",
        "Redis": "off: orders are not cached, each process counts limits for itself (REDIS_HOST)",
        "RabbitMQ": "off: events are handled in this server (RMQ_HOST)",
        "mail": "off: mail goes to this log (SMTP_HOST)",
    }


def test_it_names_the_servers_that_it_uses(said):
    lines = said(**EVERYTHING, docs_enabled=False, metrics_enabled=False)

    assert lines["metrics"] == "off (METRICS_ENABLED)"
    assert lines["documentation"] == "off (DOCS_ENABLED)"
    assert lines["database"] == "db.example.org:5432 talk"
    assert lines["Redis"] == "cache.example.org:6379"
    assert lines["RabbitMQ"] == "broker.example.org:5672"
    assert lines["mail"] == "mail.example.org:587"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:3001"),
        ("::", "http://[::1]:3001"),
        ("::1", "http://[::1]:3001"),
        ("talk.example.org", "http://talk.example.org:3001"),
    ],
)
def test_its_addresses_can_be_opened_in_a_browser(said, host, url):
    assert said(host=host, port=3001)["documentation"] == f"{url}/docs"


def test_it_says_that_others_are_sent_no_mail_and_that_it_is_not_logged(said):
    assert said(host="0.0.0.0")["mail"] == "off: mail is not sent (SMTP_HOST)"
