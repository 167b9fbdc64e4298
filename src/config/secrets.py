"""The two secrets that sign tokens: from the settings, else random ones kept in DATA_DIR."""

import json
import os
import secrets
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from config.setting_rules import SECRET_BYTES
from config.settings import LOOPBACK_HOSTS, Settings, SettingsError, get_settings
from config.startup_faults import data_folder_fault


class TokenSecrets(NamedTuple):
    access: str
    refresh: str

    def __repr__(self) -> str:
        return "TokenSecrets(**********)"


@lru_cache
def token_secrets() -> TokenSecrets:
    """The secrets of this installation; every worker and every later start gets the same ones.

    Raises SettingsError when they can be neither read nor written.
    """
    settings = get_settings()
    try:
        return _choose(settings)
    except OSError as error:
        raise SettingsError(data_folder_fault(error, settings.data_dir)) from error
    except (TypeError, ValueError):
        # `from None`: the error may quote the secrets.
        raise SettingsError(
            f"{settings.data_dir / 'secrets.json'} does not hold two secrets: move it away, and "
            "the next start makes a new one."
        ) from None


def _choose(settings: Settings) -> TokenSecrets:
    if settings.access_token_secret and settings.refresh_token_secret:
        return TokenSecrets(
            settings.access_token_secret.get_secret_value(),
            settings.refresh_token_secret.get_secret_value(),
        )
    path = settings.data_dir / "secrets.json"
    if not path.exists():
        if settings.db_host and settings.host not in LOOPBACK_HOSTS:
            # Each replica would make its own, and refuse the tokens of the others.
            raise SettingsError(
                "Set ACCESS_TOKEN_SECRET and REFRESH_TOKEN_SECRET: where DB_HOST is set and HOST "
                "lets others in, all hosts need the same two."
            )
        _create(path)
    return TokenSecrets(**json.loads(path.read_text()))


def _create(path: Path) -> None:
    """Write a complete file under another name, then link it: the first of several processes
    decides."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fresh = {name: secrets.token_urlsafe(SECRET_BYTES) for name in TokenSecrets._fields}
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    if sys.platform != "win32" and os.geteuid() == 0:
        # The folder's owner must be able to start without root next time.
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    with os.fdopen(descriptor, "w") as file:
        json.dump(fresh, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
