"""The settings of Redis, RabbitMQ and the limits."""

from ipaddress import ip_network

import pytest

from config.settings import SettingsError, get_settings


@pytest.fixture
def settings_of(monkeypatch):
    def read(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        return get_settings()

    yield read
    get_settings.cache_clear()


def test_nothing_is_needed(settings_of):
    settings = settings_of()
    assert (settings.redis_host, settings.rmq_host) == (None, None)
    assert settings.rmq_vhost == "/"
    assert settings.trusted_proxies == ()


def test_the_virtual_host_may_be_written_as_in_a_url(settings_of):
    assert settings_of(RMQ_VHOST="%2f").rmq_vhost == "/"


def test_sentinels_have_ports_or_the_usual_one(settings_of):
    settings = settings_of(
        REDIS_SENTINELS="10.0.0.1, b.example.org:26380, ::1,[::1]:7", REDIS_SENTINEL_NAME="talk"
    )
    assert settings.redis_sentinels == (
        ("10.0.0.1", None),
        ("b.example.org", 26380),
        ("::1", None),
        ("::1", 7),
    )


def test_passwords_are_not_shown(settings_of):
    settings = settings_of(REDIS_PASSWORD="hush-hush", RMQ_PASSWORD="hush-hush")
    assert "hush-hush" not in repr(settings)


@pytest.mark.parametrize("rate", ["5/minute", "5/15 seconds", "100 per hour", "off", "OFF"])
def test_rates(settings_of, rate):
    assert settings_of(RATE_LIMIT_LOGIN=rate).rate_limit_login.lower() == rate.lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATE_LIMIT_LOGIN", "5"),
        ("RATE_LIMIT_LOGIN", "0/minute"),
        ("RATE_LIMIT_LOGIN", "-5/minute"),
        ("RATE_LIMIT_LOGIN", "5/fortnight"),
        ("RATE_LIMIT_LOGIN", "5/minute;30/hour"),
        ("RATE_LIMITS_ENABLED", "perhaps"),
        ("TRUSTED_PROXIES", "10.0.0.1, everybody"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("REDIS_PORT", "0"),
        ("REDIS_TTL_EXPIRE", "0"),
        ("REDIS_SENTINELS", "a:0"),
        ("REDIS_SENTINELS", "redis://a"),
        ("REDIS_SENTINELS", "a:b"),
        ("REDIS_SENTINELS", "a"),
        ("REDIS_SENTINEL_NAME", "talk"),
        ("RMQ_HOST", "a,b c"),
        ("RMQ_PORT", "5672,0"),
        ("RMQ_QUEUE", "my queue"),
    ],
)
def test_a_wrong_value_is_named(settings_of, name, value):
    with pytest.raises(SettingsError, match=name):
        settings_of(**{name: value})


def test_proxies_are_addresses_and_networks(settings_of):
    settings = settings_of(TRUSTED_PROXIES="10.0.0.5, 10.1.0.0/16 ,2001:db8::/32")
    expected = ("10.0.0.5/32", "10.1.0.0/16", "2001:db8::/32")
    assert settings.trusted_proxies == tuple(ip_network(each) for each in expected)
