"""The secrets that sign tokens: given ones, or random ones that are made once."""

import json
import os
import stat
import subprocess
import sys
from unittest.mock import patch

import pytest

from config import secrets
from config.settings import Settings, SettingsError

TWO_GIVEN = {"access_token_secret": "a" * 32, "refresh_token_secret": "r" * 32}
# Imports first, then waits for the word, so that all processes start at the same moment.
PROCESS = """
import sys
from config.secrets import token_secrets
from config.settings import Settings
Settings.model_config["env_file"] = None
print("ready", flush=True)
sys.stdin.readline()
print(*token_secrets())
"""


def choose(**settings):
    """The secrets under these settings, past the cache that the app has filled."""
    with patch("config.secrets.get_settings", return_value=Settings(**settings)):
        return secrets.token_secrets.__wrapped__()


def test_given_secrets_are_taken_and_nothing_is_written(tmp_path):
    assert choose(**TWO_GIVEN, data_dir=tmp_path) == ("a" * 32, "r" * 32)
    assert list(tmp_path.iterdir()) == []


def test_random_ones_are_long_and_differ(tmp_path):
    access, refresh = choose(data_dir=tmp_path)

    assert access != refresh
    assert min(len(access.encode()), len(refresh.encode())) >= 32


def test_the_next_start_gets_the_same_ones(tmp_path):
    first = choose(data_dir=tmp_path / "data")

    assert choose(data_dir=tmp_path / "data") == first
    assert choose(data_dir=tmp_path / "other") != first


def test_hosts_that_share_a_database_make_none_of_their_own(tmp_path):
    shared = {"db_host": "db.example.org", "host": "0.0.0.0", "data_dir": tmp_path}
    with pytest.raises(SettingsError, match="Set ACCESS_TOKEN_SECRET and REFRESH_TOKEN_SECRET"):
        choose(**shared)
    assert list(tmp_path.iterdir()) == []

    assert choose(**shared, **TWO_GIVEN) == ("a" * 32, "r" * 32)
    made = choose(**shared | {"host": "127.0.0.1"})
    assert choose(**shared) == made, "what is there already is kept"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_only_the_owner_can_read_them(tmp_path, umask):
    before = os.umask(umask)
    try:
        choose(data_dir=tmp_path)
    finally:
        os.umask(before)

    [path] = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_draft_is_left_behind(tmp_path):
    choose(data_dir=tmp_path)

    [path] = tmp_path.iterdir()
    assert json.loads(path.read_text()).keys() == {"access", "refresh"}


def test_who_loses_the_race_takes_the_winners(tmp_path):
    won = choose(data_dir=tmp_path)
    secrets._create(tmp_path / "secrets.json")

    assert choose(data_dir=tmp_path) == won
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_eight_processes_at_once_get_the_same_ones(tmp_path):
    source = str(secrets.Path(secrets.__file__).parents[1])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            env={**os.environ, "DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": source},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 8
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in processes}

    assert len(answers) == 1
    assert len(answers.pop().split()) == 2
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secrets.json"]


def test_they_are_not_in_a_repr():
    given = choose(**TWO_GIVEN)

    assert "a" * 32 not in f"{given!r} {given}"
    assert "r" * 32 not in f"{given!r} {given}"
