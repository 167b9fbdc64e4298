"""What README.md and .env.example say is true."""

import re
import shutil
import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT, Settings

README = (PROJECT_ROOT / "README.md").read_text()
EXAMPLE = (PROJECT_ROOT / ".env.example").read_text()
VARIABLES = {name.upper() for name in Settings.model_fields}


def blocks(heading: str, language: str) -> list[str]:
    section = re.split(rf"^## {heading}$", README, flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, flags=re.MULTILINE)[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour needs curl")
def test_every_line_of_the_tours_works(start_server, tmp_path):
    server = start_server().wait_until_ready()
    password = "For-the-tour-1!"
    subprocess.run(
        [sys.executable, "src/create_superuser.py", "--password", "-"],
        cwd=PROJECT_ROOT,
        env=server.environment,
        input=password,
        text=True,
        check=True,
    )
    (tour,) = blocks("A tour with curl", "bash")
    start, admin_tour = blocks("The administrator", "bash")
    assert start.strip() == ".venv/bin/python src/create_superuser.py"
    script = f"set -euo pipefail\nPASSWORD='{password}'\n{tour}\n{admin_tour}"
    script = script.replace("http://127.0.0.1:3000", server.url)
    # A command inside $(...) must not fail unnoticed either.
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Hello, gophers!" in done.stdout
    assert '"user_liked":true' in done.stdout
    assert '"action":"role.create"' in done.stdout


def test_the_settings_table_names_every_setting():
    (section,) = re.findall(r"^## Settings$(.*?)^## ", README, flags=re.MULTILINE | re.DOTALL)
    first_cells = re.findall(r"^\| (`[^|]*) \|", section, flags=re.MULTILINE)
    named = {name for cell in first_cells for name in re.findall(r"`([A-Z_]+)`", cell)}
    assert named == VARIABLES


def test_the_example_names_every_setting_with_its_default():
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE))
    assert given.keys() == VARIABLES
    for name, field in Settings.model_fields.items():
        text = given[name.upper()]
        if text:
            default = field.get_default()
            loaded = getattr(Settings(_env_file=None, **{name: text}), name)
            assert loaded == default, name


def test_the_example_works_when_copied_as_it_is(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    copy = tmp_path / ".env"
    copy.write_text(EXAMPLE)
    assert Settings(_env_file=copy) == Settings(_env_file=None)


def test_both_commands_install_the_same_locked_requirements():
    (run,) = blocks("Run the server", "bash")
    (test,) = blocks("Run the tests", "bash")
    assert run.rpartition("&&")[0] == test.rpartition("&&")[0]
    assert "--require-hashes -r requirements.txt" in run
