"""`python3 src/create_superuser.py` as its user runs it: a process with data of its own."""

import os
import re
import subprocess
import sys

import httpx
import pytest

from config.settings import PROJECT_ROOT


@pytest.fixture
def create_superuser(tmp_path):
    def run(*args, stdin=""):
        return subprocess.run(
            [sys.executable, str(PROJECT_ROOT / "src" / "create_superuser.py"), *args],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "ENV_FILE": os.devnull,
                "DATA_DIR": str(tmp_path / "data"),
                "BCRYPT_ROUNDS": "4",
                "LOGLEVEL": "WARNING",
            },
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def login(server, user_name, password):
    body = {"user_name": user_name, "password": password}
    return httpx.post(f"{server.url}/api/auth/login", json=body)


@pytest.mark.slow
def test_the_random_password_is_printed_once_and_logs_the_superuser_in(
    create_superuser, start_server
):
    first, second = create_superuser(), create_superuser()

    printed = re.fullmatch(
        r"Created the superuser admin with the password (\S{20})\n", first.stdout
    )
    assert (first.returncode, first.stderr) == (0, "")
    assert printed
    assert (second.returncode, second.stdout) == (
        0,
        "The user admin exists already; nothing was changed.\n",
    )

    other = create_superuser("--user-name", "gopher_boss", "--password", "-", stdin="gopher1!\n")
    assert (other.returncode, other.stdout) == (0, "Created the superuser gopher_boss.\n")
    assert "gopher1!" not in other.stderr

    server = start_server().wait_until_ready()
    answer = login(server, "admin", printed[1])
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    me = httpx.get(f"{server.url}/api/users/me", headers=headers).json()
    assert (me["is_superuser"], me["is_active"], me["roles"]) == (True, True, ["admin", "user"])
    assert login(server, "gopher_boss", "gopher1!").status_code == 200
    (newest, oldest) = httpx.get(f"{server.url}/api/audit", headers=headers).json()
    assert [each["actor_id"] for each in (newest, oldest)] == [None, None]
    assert oldest["after"] == {"roles": ["admin"], "is_active": True, "is_superuser": True}


@pytest.mark.parametrize(
    ("args", "stdin"),
    [
        (["--password", "short"], ""),
        (["--password", "-"], "gopherrr\n"),
        (["--password", "gopher1!" * 5], ""),
        (["--user-name", "1gopher"], ""),
    ],
)
def test_what_is_against_the_rules_is_refused_in_one_line(create_superuser, tmp_path, args, stdin):
    refused = create_superuser(*args, stdin=stdin)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert re.fullmatch(r"[^\n]+\n", refused.stderr)
    assert "Value error" not in refused.stderr
    assert "gopher" not in refused.stderr
    assert not (tmp_path / "data").exists()
