"""`manage.py` as its users run it: help, completion, and each command."""

import json
import os
import subprocess
import sys
import tomllib

import pytest
from programs import run, sentence

from config.settings import PROJECT_ROOT
from entry import VERSION

COMMANDS = [
    "serve",
    "migrate",
    "create-superuser",
    "seed-demo",
    "worker",
    "backup",
    "restore",
    "openapi",
]
DOORS = {
    "create_superuser.py": "create-superuser",
    "migrate.py": "migrate",
    "seed_demo.py": "seed-demo",
    "worker.py": "worker",
}
FAILING = {
    "app.py": ["app.py"],
    **{door: [door] for door in DOORS},
    **{command: ["manage.py", command] for command in COMMANDS},
    **{command: ["manage.py", command, "no.dump"] for command in ("backup", "restore")},
}


def test_help_names_every_command():
    shown = run("manage.py", "--help")

    assert shown.returncode == 0
    lines = [line.strip("│ ").split() for line in shown.stdout.splitlines()]
    assert [line[0] for line in lines if line and line[0] in COMMANDS] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(command):
    shown = run("manage.py", command, "-h")

    assert shown.returncode == 0
    assert f"Usage: manage.py {command} [OPTIONS]" in shown.stdout
    assert f"python3 src/manage.py {command}" in shown.stdout.partition("Example: ")[2]


@pytest.mark.parametrize(("door", "command"), DOORS.items())
def test_a_door_is_its_command_under_another_name(door, command):
    of_door, of_command = run(door, "-h"), run("manage.py", command, "-h")

    assert (of_door.returncode, of_command.returncode) == (0, 0)
    assert f"Usage: {door} [OPTIONS]" in of_door.stdout
    assert body(of_door) == body(of_command)


def body(shown):
    return shown.stdout.splitlines()[2:]


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.slow
def test_help_is_shown_in_ascii_too(command):
    shown = run("manage.py", *([command] if command else []), "--help", PYTHONIOENCODING="ascii")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.isascii()
    assert "\\u" not in shown.stdout


@pytest.mark.parametrize("program", ["app.py", "manage.py", *DOORS])
def test_every_program_knows_its_version(program):
    shown = run(program, "--version")

    assert (shown.returncode, shown.stdout, shown.stderr) == (0, f"GopherTalk {VERSION}\n", "")


def test_the_version_is_that_of_the_project_and_of_the_document():
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))
    document = json.loads(run("manage.py", "openapi").stdout)

    assert project["project"]["version"] == document["info"]["version"] == VERSION


def test_the_server_shows_help_and_takes_no_other_argument(tmp_path):
    settings = {"DATA_DIR": str(tmp_path / "data"), "PORT": "1"}
    shown, refused = (run("app.py", *words, **settings) for words in (["-h"], ["--port", "3001"]))

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Example: PORT=3001 python3 src/app.py" in shown.stdout
    assert sentence(refused) == f"It takes no arguments, such as --port. {shown.stdout.strip()}"


@pytest.mark.parametrize("words", FAILING.values(), ids=FAILING)
@pytest.mark.slow
def test_a_fault_begins_with_the_same_words_everywhere(words):
    assert sentence(run(*words, PORT="none")) == (
        "Wrong settings: PORT: must be a whole number from 1 to 65535"
    )


def test_what_is_no_command_is_refused():
    refused = run("manage.py", "migrat")

    assert refused.returncode == 2
    assert "migrat" in refused.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.slow
def test_the_shell_completes_commands_and_options(shell):
    assert completions(shell, "manage.py see") == ["seed-demo"]
    assert completions(shell, "manage.py seed-demo --po") == ["--posts"]


def completions(shell, line):
    """As the script that `--install-completion` puts into the shell asks for them."""
    words = line.split()
    asked = {
        "_MANAGE.PY_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    answered = run("manage.py", **asked)
    assert answered.returncode == 0, answered.stderr
    return [
        word
        for word in answered.stdout.replace('"', " ").replace(":", " ").split()
        if word in {*COMMANDS, "--posts", "--users"}
    ]


def test_it_can_be_started_by_its_name_for_completion_to_know_it():
    assert os.access(PROJECT_ROOT / "src" / "manage.py", os.X_OK)


@pytest.mark.slow
def test_openapi_is_what_the_server_gives(client, tmp_path):
    served = client.get("/openapi.json").json()
    data_dir, file = tmp_path / "data", tmp_path / "openapi.json"
    settings = {"DATA_DIR": str(data_dir), "RATE_LIMIT_EXPORT": "off"}

    printed = run("manage.py", "openapi", **settings)
    written = run("manage.py", "openapi", "--output", str(file), **settings)

    assert (printed.returncode, json.loads(printed.stdout)) == (0, served)
    assert (written.returncode, written.stdout) == (0, "")
    assert json.loads(file.read_text("utf-8")) == served
    assert not data_dir.exists()


def test_openapi_says_why_a_file_cannot_be_written(tmp_path):
    refused = run("manage.py", "openapi", "--output", str(tmp_path / "no" / "file.json"))

    assert refused.returncode == 2
    assert refused.stderr.endswith("cannot be written: No such file or directory.\n")


@pytest.mark.slow
def test_the_server_does_without_the_command_line():
    program = "import sys; sys.path.insert(0, 'src'); import app; print('typer' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
    )

    assert (loaded.stdout, loaded.stderr) == ("False\n", "")
