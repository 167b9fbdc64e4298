"""Settings: what is read, what is refused, and that no secret shows."""

import pytest
from pydantic import ValidationError

from config import settings as module
from config.settings import Settings, SettingsError

# The tests' own conftest has emptied the environment of our names.
ACCESS, REFRESH = "a" * 32, "r" * 32
PUBLISHED = {
    "ACCESS_TOKEN_SECRET": "super_secret_access_token_key",
    "REFRESH_TOKEN_SECRET": "super_secret_refresh_token_key",
}


@pytest.fixture
def read(monkeypatch):
    """Read the settings from this environment, past the cache that the app has filled."""

    def read(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return module.get_settings.__wrapped__()

    return read


@pytest.fixture
def refused(read):
    """The sentence with which this environment is refused."""

    def refused(**environment):
        with pytest.raises(SettingsError) as caught:
            read(**environment)
        return str(caught.value)

    return refused


def test_nothing_set_is_a_working_system(read, monkeypatch):
    for name in ("DATA_DIR", "BCRYPT_ROUNDS", "LOGLEVEL"):
        monkeypatch.delenv(name)
    settings = read()

    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 3000, 1)
    assert settings.db_host is None
    assert settings.data_dir == module.PROJECT_ROOT / ".data"
    assert settings.access_token_secret is None
    assert settings.refresh_token_secret is None
    assert (settings.access_token_expires, settings.refresh_token_expires) == (3600, 86400)
    assert settings.bcrypt_rounds == 12
    assert settings.env_allowed_origins == ()


def test_the_environment_is_read(read):
    settings = read(PORT="3001", DB_HOST="db", DB_PASSWORD="pass", RELOAD="true", LOG_FORMAT="JSON")

    assert (settings.port, settings.db_host, settings.reload) == (3001, "db", True)
    assert settings.db_password.get_secret_value() == "pass"
    assert settings.log_format == "json"


@pytest.mark.parametrize("name", ["PORT", "DB_HOST", "ACCESS_TOKEN_SECRET", "LOG_FILE", "RELOAD"])
def test_an_empty_value_counts_as_left_out(read, name):
    field = name.lower()

    assert getattr(read(**{name: ""}), field) == Settings.model_fields[field].default


def test_dotenv_is_read_and_the_environment_comes_first(read, monkeypatch, tmp_path):
    path = tmp_path / ".env"
    path.write_text(
        "# comment\nPORT=3001\nHOST='0.0.0.0'\nDB_NAME=\"гоферы\"\nUNKNOWN=1\n", "utf-8"
    )
    monkeypatch.setitem(Settings.model_config, "env_file", path)
    settings = read(PORT="3002")

    assert (settings.port, settings.host, settings.db_name) == (3002, "0.0.0.0", "гоферы")


def test_a_value_in_dotenv_arrives_as_it_was_written(read, monkeypatch, tmp_path):
    path = tmp_path / ".env"
    path.write_text("DB_PASSWORD=a${HOME}b$c#d\nSMTP_USER=''\nDB_USER='${DB_NAME}'\n")
    monkeypatch.setitem(Settings.model_config, "env_file", path)
    settings = read()
    assert settings.db_password.get_secret_value() == "a${HOME}b$c#d"
    assert (settings.db_user, settings.smtp_user) == ("${DB_NAME}", None)


def test_the_project_reads_the_env_file_at_its_root():
    assert (module.PROJECT_ROOT / "pyproject.toml").exists()


@pytest.mark.parametrize("name", ["DATA_DIR", "LOG_FILE"])
@pytest.mark.parametrize(
    ("value", "path"), [("sub/x", module.PROJECT_ROOT / "sub/x"), ("/x", module.Path("/x"))]
)
def test_a_relative_path_starts_at_the_projects_root(read, name, value, path):
    assert getattr(read(**{name: value}), name.lower()) == path


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("https://app.example.org", ("https://app.example.org",)),
        (
            " https://a.example.org/ ,, http://localhost:8080",
            ("https://a.example.org", "http://localhost:8080"),
        ),
        (",", ()),
        ("*", ("*",)),
        # As browsers write them.
        ("HTTPS://App.Example.org:443", ("https://app.example.org",)),
        (
            "http://a.example.org:80, http://b.example.org:443",
            ("http://a.example.org", "http://b.example.org:443"),
        ),
        ("https://пример.рф", ("https://xn--e1afmkfd.xn--p1ai",)),
        ("http://[0::1]:5173", ("http://[::1]:5173",)),
    ],
)
def test_origins_are_a_list_with_commas(read, value, origins):
    assert read(ENV_ALLOWED_ORIGINS=value).env_allowed_origins == origins


@pytest.mark.parametrize(
    "value",
    [
        "https://a.example.org, *",
        "app.example.org",
        "localhost:5173",
        "null",
        "file://",
        "https://*.example.org",
        "https://a.example.org/path",
        "https://a.example.org?",
        "https://anna@a.example.org",
        "https://a.example.org:65536",
        "https://256.1.1.1",
        "https://a.example.org http://b.example.org",
    ],
)
def test_an_origin_that_can_never_match_is_refused(refused, value):
    assert "ENV_ALLOWED_ORIGINS: list origins such as" in refused(ENV_ALLOWED_ORIGINS=value)


@pytest.mark.parametrize(
    "value", ["db", "db.example.org", "10.0.0.5", "::1", "fe80::1%eth0", "db_1"]
)
def test_a_host_is_a_name_or_an_address(read, value):
    settings = read(DB_HOST=value, REDIS_HOST=value, RMQ_HOST=value, SMTP_HOST=value, HOST=value)
    assert {settings.db_host, settings.redis_host, settings.host} == {value}


@pytest.mark.parametrize("name", ["HOST", "DB_HOST", "REDIS_HOST", "RMQ_HOST", "SMTP_HOST"])
@pytest.mark.parametrize("value", ["db:5432", "redis://db", "u@db", "256.1.1.1", "10.0.5", "[::1]"])
def test_a_host_that_nobody_can_connect_to_is_refused(refused, name, value):
    assert f"{name}: must be a host name or an address, without" in refused(**{name: value})


def test_a_prefix_is_a_path(read, refused):
    assert [read(ROOT_PATH=text).root_path for text in ("/talk/", "/a/b.c", "/")] == [
        "/talk",
        "/a/b.c",
        "",
    ]
    for text in ("talk", "/a b", "/a//b", "/../a", "https://x/talk", "/talk?a", "/api", "/docs/"):
        assert "ROOT_PATH: must be a path such as /talk" in refused(ROOT_PATH=text)


def test_the_database_may_be_at_several_hosts_or_at_a_unix_socket(read):
    assert read(DB_HOST="a, b").db_host == "a,b"
    assert read(DB_HOST="/run/postgresql").db_host == "/run/postgresql"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("PORT", ["0", "65536", "-1", "x", "3000.5"]),
        ("DB_PORT", ["0", "65536", "x"]),
        ("WORKERS", ["0", "65"]),
        ("RELOAD", ["maybe"]),
        ("MIGRATE_ON_START", ["2"]),
        ("DB_POOL_MIN", ["-1"]),
        ("DB_POOL_MAX", ["0"]),
        ("SHUTDOWN_TIMEOUT", ["1", "301"]),
        ("POSTGRES_TRANSACTION_TIMEOUT", ["0", "-1", "nan", "inf"]),
        ("ACCESS_TOKEN_EXPIRES", ["0", "-1", "1h"]),
        ("REFRESH_TOKEN_EXPIRES", ["0", "99999999999"]),
        ("BCRYPT_ROUNDS", ["3", "17"]),
        ("LOGLEVEL", ["LOUD"]),
        ("LOG_FORMAT", ["xml"]),
        ("RATE_LIMIT_POST", ["5", "5/0 seconds", "0/minute", "5/minute;9/hour", "1.5/minute"]),
        ("SMTP_FROM", ["nobody", "<>", "nobody@", "@example.org", "a@b.org, c@d.org", "a b@c"]),
    ],
)
def test_a_wrong_value_is_named(refused, name, values):
    for value in values:
        message = refused(**{name: value})

        assert message.startswith(f"Wrong settings: {name}: ")
        assert "\n" not in message


def meanings():
    """Every setting with what it refuses and the words that say what is allowed."""
    for name, field in Settings.model_fields.items():
        kind = str(field.annotation)
        if name.startswith("rate_limit_"):
            yield name, "often", "must be one rate, such as 5/minute or 100/15 seconds, or off"
        elif field.annotation is bool:
            yield name, "perhaps", "must be true or false"
        elif field.annotation in (int, float):
            yield name, "many", "must be a "
            yield name, "-1", "must be a number "
        elif name == "host" or name.endswith("_host"):
            yield name, "no host", "must be a host name or an address"
        elif name in ("env_allowed_origins", "trusted_proxies"):
            yield name, "everybody", "list "
        elif "Path" in kind or "str" in kind or "Secret" in kind:
            yield name, "two\nlines", "must be one line without control characters"


def test_every_setting_says_what_it_allows_and_never_what_it_got(refused, subtests):
    for name, value, words in meanings():
        with subtests.test(name):
            message = refused(**{name.upper(): value})
            assert f"{name.upper()}: " in message
            assert words in message
            assert value not in message.replace("-1 ", "")
            assert "\n" not in message


def test_a_range_is_told(refused):
    message = refused(PORT="0", POSTGRES_TRANSACTION_TIMEOUT="x", SLOW_QUERY_MS="-1")

    assert "PORT: must be a number from 1 to 65535" in message
    assert "POSTGRES_TRANSACTION_TIMEOUT: must be a number over 0 to 3600" in message
    assert "SLOW_QUERY_MS: must be a number from 0 to 3600000" in message


def test_an_env_file_that_is_named_must_be_there(refused, monkeypatch, tmp_path):
    monkeypatch.setitem(Settings.model_config, "env_file", str(tmp_path / "none.env"))
    assert refused() == "Wrong settings: ENV_FILE names a file that cannot be read"
    (tmp_path / "none.env").write_bytes(b"PORT=\xff")
    assert refused().endswith("must be text in UTF-8")


def test_all_faults_stand_in_one_line(refused):
    message = refused(PORT="x", BCRYPT_ROUNDS="99", ENV_ALLOWED_ORIGINS="null", LOGLEVEL="LOUD")

    for name in ("PORT: ", "BCRYPT_ROUNDS: ", "ENV_ALLOWED_ORIGINS: ", "LOGLEVEL: "):
        assert message.count(name) == 1
    assert "\n" not in message


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"DB_POOL_MIN": "11"}, "DB_POOL_MIN must not be larger than DB_POOL_MAX"),
        ({"SMTP_PASSWORD": "x"}, "SMTP_PASSWORD needs SMTP_USER"),
        (
            {"REFRESH_TOKEN_EXPIRES": "3599"},
            "ACCESS_TOKEN_EXPIRES must not be larger than REFRESH_",
        ),
        ({"RELOAD": "true", "WORKERS": "2"}, "RELOAD works with WORKERS=1 only"),
        ({"ACCESS_TOKEN_SECRET": ACCESS}, "ACCESS_TOKEN_SECRET and REFRESH_TOKEN_SECRET, or neith"),
        ({"REFRESH_TOKEN_SECRET": REFRESH}, "ACCESS_TOKEN_SECRET and REFRESH_TOKEN_SECRET, or nei"),
        (
            {"ACCESS_TOKEN_SECRET": ACCESS, "REFRESH_TOKEN_SECRET": ACCESS},
            "ACCESS_TOKEN_SECRET and REFRESH_TOKEN_SECRET must differ",
        ),
        (
            {"ACCESS_TOKEN_SECRET": ACCESS[:31], "REFRESH_TOKEN_SECRET": REFRESH},
            "at least 32 bytes",
        ),
        ({"ACCESS_TOKEN_SECRET": ACCESS, "REFRESH_TOKEN_SECRET": "r"}, "at least 32 bytes"),
        ({**PUBLISHED, "HOST": "0.0.0.0"}, "is a published example"),
        ({**PUBLISHED, "HOST": "192.168.1.5"}, "is a published example"),
        (
            {**PUBLISHED, "ACCESS_TOKEN_SECRET": ACCESS, "HOST": "::"},
            "is a published example",
        ),
    ],
)
def test_settings_that_do_not_agree_are_refused(refused, environment, sentence):
    message = refused(**environment)

    assert message.startswith("Wrong settings: ")
    assert sentence in message


@pytest.mark.parametrize("secrets", [(ACCESS, REFRESH), ("ы" * 16, "я" * 16)])
def test_two_secrets_of_32_bytes_are_taken(read, secrets):
    settings = read(ACCESS_TOKEN_SECRET=secrets[0], REFRESH_TOKEN_SECRET=secrets[1], HOST="0.0.0.0")

    assert settings.access_token_secret.get_secret_value() == secrets[0]
    assert settings.refresh_token_secret.get_secret_value() == secrets[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_published_secrets_are_good_enough_for_ones_own_machine(read, host):
    assert read(**PUBLISHED, HOST=host).access_token_secret is not None


def test_no_secret_is_in_a_repr(read):
    settings = read(ACCESS_TOKEN_SECRET=ACCESS, REFRESH_TOKEN_SECRET=REFRESH, DB_PASSWORD="hunter2")

    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert ACCESS not in shown
        assert REFRESH not in shown
        assert "hunter2" not in shown


@pytest.mark.parametrize(
    "environment",
    [
        {"ACCESS_TOKEN_SECRET": "s3cret"},
        {"ACCESS_TOKEN_SECRET": "s3cret", "REFRESH_TOKEN_SECRET": "s3cret"},
        {"ACCESS_TOKEN_SECRET": "s3cret", "REFRESH_TOKEN_SECRET": REFRESH},
        {"DB_PASSWORD": "s3cret", "PORT": "x"},
        {"DB_PASSWORD": "s3cret", "DB_POOL_MIN": "11"},
    ],
)
def test_no_secret_is_in_a_message(read, environment):
    with pytest.raises(SettingsError) as caught:
        read(**environment)

    error = caught.value
    assert "s3cret" not in f"{error} {error!r}"
    # A traceback would go on with these.
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        Settings().port = 1


def test_they_are_read_once():
    assert module.get_settings() is module.get_settings()
