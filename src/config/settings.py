"""Every setting of GopherTalk, read once from the environment and `.env`, and checked.

This is the only module that uses the environment. All others call `get_settings()`.
"""

import os
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.setting_rules import (
    Addresses,
    DatabaseHosts,
    Host,
    Hosts,
    LogFormat,
    LogLevel,
    MailAddress,
    Networks,
    Origins,
    Port,
    Ports,
    Rate,
    Seconds,
    UrlPrefix,
    check_secrets,
    describe_faults,
)

PROJECT_ROOT = Path(__file__).resolve().parents[2]

LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}


class SettingsError(Exception):
    """The environment is wrong; the message names every fault and is fit to print."""


class Settings(BaseSettings):
    """Typed, frozen settings. A name here in upper case is the variable of that name."""

    model_config = SettingsConfigDict(
        env_file=os.environ.get("ENV_FILE", PROJECT_ROOT / ".env"),
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    host: Host = "127.0.0.1"
    port: Port = 3000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    reload: bool = False
    shutdown_timeout: Annotated[int, Field(ge=2, le=300)] = 10
    docs_enabled: bool = True
    metrics_enabled: bool = True
    password_form_enabled: bool = True
    root_path: UrlPrefix = ""
    env_allowed_origins: Annotated[Origins, NoDecode] = ()
    trusted_proxies: Annotated[Networks, NoDecode] = ()

    rate_limits_enabled: bool = True
    rate_limit_register: Rate = "5/15 seconds"
    rate_limit_login: Rate = "5/minute"
    rate_limit_login_address: Rate = "30/minute"
    rate_limit_refresh: Rate = "off"
    rate_limit_post: Rate = "off"
    rate_limit_user: Rate = "off"
    rate_limit_product: Rate = "off"
    rate_limit_order: Rate = "off"
    rate_limit_report: Rate = "off"
    rate_limit_export: Rate = "1/5 minutes"
    rate_limit_mail_address: Rate = "3/hour"
    rate_limit_mail_account: Rate = "10/hour"
    rate_limit_mail_client: Rate = "10/hour"
    rate_limit_token: Rate = "off"  # noqa: S105 (a rate)

    post_edit_minutes: Annotated[int, Field(ge=0, le=525_600)] = 0

    data_dir: Path = PROJECT_ROOT / ".data"
    db_host: DatabaseHosts | None = None
    db_port: Ports = "5432"
    db_user: str = "postgres"
    db_password: SecretStr = SecretStr("")
    db_name: str = "postgres"
    db_pooler: Literal["pgbouncer", "pgbouncer-prepared"] | None = None
    db_read_host: Annotated[Addresses, NoDecode] = ()
    db_pool_min: Annotated[int, Field(ge=0, le=1000)] = 2
    db_pool_max: Annotated[int, Field(ge=1, le=1000)] = 10
    postgres_transaction_timeout: Seconds = 1.5
    migrate_on_start: bool = True

    redis_host: Host | None = None
    redis_port: Port = 6379
    redis_sentinels: Annotated[Addresses, NoDecode] = ()
    redis_sentinel_name: str | None = None
    redis_user: str | None = None
    redis_password: SecretStr | None = None
    redis_ttl_expire: Annotated[int, Field(ge=1, le=86400)] = 30

    rmq_host: Hosts | None = None
    rmq_port: Ports = "5672"
    rmq_user: str = "guest"
    rmq_password: SecretStr = SecretStr("")
    rmq_vhost: Annotated[str, AfterValidator(unquote)] = "/"
    rmq_exchange: Annotated[str, Field(pattern=r"^[\w.:-]{1,200}$")] = "gophertalk"
    rmq_queue: Annotated[str, Field(pattern=r"^[\w.:-]{1,200}$")] = "gophertalk.orders"
    rmq_queue_type: Literal["classic", "quorum"] = "classic"

    access_token_secret: SecretStr | None = None
    refresh_token_secret: SecretStr | None = None
    access_token_expires: Annotated[int, Field(ge=1, le=31_536_000)] = 3600
    refresh_token_expires: Annotated[int, Field(ge=1, le=31_536_000)] = 86400
    bcrypt_rounds: Annotated[int, Field(ge=4, le=16)] = 12

    smtp_host: Host | None = None
    smtp_port: Port = 587
    smtp_user: str | None = None
    smtp_password: SecretStr = SecretStr("")
    smtp_from: MailAddress = "GopherTalk <gophertalk@localhost>"

    loglevel: LogLevel = "INFO"
    log_format: LogFormat = "plain"
    log_file: Path | None = None
    slow_query_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 200

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`.env` as it is written: pydantic-settings would replace the ${...} in a password."""
        path, encoding = cls.model_config.get("env_file"), "utf-8-sig"  # Notepad writes a BOM
        written = dotenv_values(str(path), encoding=encoding, interpolate=False) if path else {}
        given = {name.lower(): value for name, value in written.items() if value}
        return init_settings, env_settings, InitSettingsSource(settings_cls, given)

    @field_validator("*", mode="before")
    @classmethod
    def _on_one_line(cls, value: object) -> object:
        if isinstance(value, str) and re.search(r"[\x00-\x1f\x7f]", value):
            raise ValueError("must be one line without control characters")
        return value

    @field_validator("data_dir", "log_file")
    @classmethod
    def _from_project_root(cls, value: Path | None) -> Path | None:
        return PROJECT_ROOT / value if value else None

    @model_validator(mode="after")
    def _check_together(self) -> "Settings":
        if self.db_pool_min > self.db_pool_max:
            raise ValueError("DB_POOL_MIN must not be larger than DB_POOL_MAX")
        if self.db_read_host and not self.db_host:
            raise ValueError("DB_READ_HOST needs DB_HOST")
        if self.db_pooler and (not self.db_host or "," in self.db_host):
            raise ValueError(
                "DB_POOLER needs DB_HOST, one address that always leads to the primary"
            )
        named = (("DB", self.db_host, self.db_port), ("RMQ", self.rmq_host, self.rmq_port))
        for name, hosts, ports in named:
            if ports.count(",") not in (0, (hosts or "").count(",")):
                raise ValueError(f"{name}_PORT must be one, or one for each host in {name}_HOST")
        if bool(self.redis_sentinels) != bool(self.redis_sentinel_name):
            raise ValueError("set both REDIS_SENTINELS and REDIS_SENTINEL_NAME, or neither")
        if self.access_token_expires > self.refresh_token_expires:
            raise ValueError("ACCESS_TOKEN_EXPIRES must not be larger than REFRESH_TOKEN_EXPIRES")
        if self.smtp_password.get_secret_value() and not self.smtp_user:
            raise ValueError("SMTP_PASSWORD needs SMTP_USER")
        if self.reload and self.workers > 1:
            raise ValueError("RELOAD works with WORKERS=1 only")
        secrets = {
            "ACCESS_TOKEN_SECRET": self.access_token_secret,
            "REFRESH_TOKEN_SECRET": self.refresh_token_secret,
        }
        check_secrets(
            {name: secret.get_secret_value() for name, secret in secrets.items() if secret},
            serves_others=self.host not in LOOPBACK_HOSTS,
        )
        return self


@lru_cache
def get_settings() -> Settings:
    """Raises SettingsError, which names all faults in one line and shows no value."""
    path = Settings.model_config.get("env_file")
    if isinstance(path, str) and not os.access(path, os.R_OK):  # ENV_FILE names it
        raise SettingsError("Wrong settings: ENV_FILE names a file that cannot be read")
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(describe_faults(error, Settings.model_fields)) from None
    except UnicodeDecodeError:
        raise SettingsError(f"Wrong settings: {path} must be text in UTF-8") from None


def set_variable(name: str, value: str) -> None:
    """In this process and those that it starts: for a library that reads the environment itself."""
    os.environ[name] = value


def get_variable(name: str) -> str | None:
    """One that is no setting: set by `set_variable` or by the system that started us."""
    return os.environ.get(name)


def drop_variables(unwanted: Callable[[str], bool]) -> None:
    """Remove them from the environment of this process: a library would read them itself."""
    for name in [name for name in os.environ if unwanted(name)]:
        del os.environ[name]
