"""The layers, kept by reading the source: who may import whom, and how each layer reads."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"
FILES = sorted(SRC.rglob("*.py"))
TREES = {path.relative_to(SRC).as_posix(): ast.parse(path.read_text("utf-8")) for path in FILES}

PROGRAMS = ("create_superuser", "manage", "migrate", "seed_demo", "worker")

# Each layer, and whom of the others it may import: downward only.
MAY_IMPORT = {
    "app": {"config", "dependencies", "entry", "lifespan", "routes", "server"},
    "lifespan": {"background", "config"},
    "server": {"config"},
    # The programs are doors: `entry` checks the Python, then a command takes over.
    **{program: {"commands", "entry"} for program in PROGRAMS},
    "entry": set(),
    # They do what a request would do, so they stand where the controllers do; `serve` and
    # `openapi` are about the app itself.
    "commands": {"app", "background", "config", "demo", "dto", "server", "services", "utils"},
    "routes": {"controllers", "dependencies", "dto"},
    "controllers": {"dependencies", "dto", "services"},
    # The guards ask a service who is calling, with the secrets that config keeps.
    "dependencies": {"config", "dto", "services", "utils"},
    # The relay and the consumer speak with RabbitMQ, whose connections config opens.
    "background": {"config", "services", "utils"},
    "services": {"config", "demo", "dto", "repositories", "utils"},
    "repositories": {"config", "dto", "utils"},
    "config": {"migrations", "packages", "utils"},
    "migrations": set(),
    "packages": set(),
    "demo": set(),
    "dto": set(),
    "utils": set(),
}
EXCEPTIONS: set[tuple[str, str]] = set()

# What of a package a whole layer may know, where that is less than all of it.
ONLY_MODULES = {
    # A guard reads sessions; what the business decides is the controllers' to ask for.
    ("dependencies", "services"): {"services.rate_limit_service", "services.session_service"},
    ("dependencies", "config"): {"config.metrics", "config.secrets", "config.settings"},
    # Whether the pool is open, the settings, the secrets, the post office: never the server.
    ("services", "config"): {
        "config.db",
        "config.mail",
        "config.metrics",
        "config.rabbitmq",
        "config.redis",
        "config.secrets",
        "config.settings",
    },
    # The SQL helper stands over the pool, which `config` opens and closes.
    ("repositories", "config"): {"config.db"},
}

# Libraries, and the only places that may know them.
ONLY_IN = {
    "fastapi": ("app.py", "routes/", "controllers/", "dependencies/"),
    # lifespan.py is a hook that Starlette runs in its event loop.
    "starlette": ("app.py", "lifespan.py", "dependencies/"),
    "uvicorn": ("server/",),
    "asyncio": (
        "server/http_protocol.py",
        "server/joined_writes.py",
        "dependencies/auth.py",
        "dependencies/routing/json_route.py",
        "dependencies/routing/threads.py",
    ),
    "anyio": (),
    "psycopg": ("config/", "migrations/", "repositories/"),
    "psycopg_pool": ("config/pool.py", "repositories/sql.py"),
    # The course's tests replace `bcrypt.hashpw` and `bcrypt.checkpw` under the services.
    "bcrypt": ("services/", "utils/passwords.py"),
    "jose": ("utils/jwt.py",),
    "dotenv": ("config/settings.py",),
    "pydantic_settings": ("config/settings.py",),
    "redis": ("config/redis.py",),
    "pika": ("background/", "config/rabbitmq.py"),
    "limits": ("config/setting_rules.py", "services/rate_limit_service.py"),
    "smtplib": ("config/mail.py",),
    "prometheus_client": ("config/metrics.py",),
    "typer": ("commands/command_line.py",),
    "tqdm": ("commands/demo.py",),
    "subprocess": ("packages/embedded_postgres/",),
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def layer_of(file: str) -> str:
    return file.partition("/")[0].removesuffix(".py")


def modules_of(tree: ast.Module) -> set[str]:
    """All imported modules, also those inside functions; `from a import b` counts as `a.b`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def imports_of(tree: ast.Module) -> set[str]:
    """Their top names."""
    return {name.partition(".")[0] for name in modules_of(tree)}


def in_folder(folder: str) -> list[str]:
    return [file for file in TREES if file.startswith(f"{folder}/")]


def test_every_file_belongs_to_a_layer():
    assert {layer_of(file) for file in TREES} == set(MAY_IMPORT)


@pytest.mark.parametrize("file", TREES)
def test_imports_are_absolute_and_point_downward(file):
    layer, imports = layer_of(file), imports_of(TREES[file])
    allowed = {layer, *MAY_IMPORT[layer]}
    forbidden = {
        name for name in imports & MAY_IMPORT.keys() - allowed if (file, name) not in EXCEPTIONS
    }
    assert not forbidden
    assert "" not in imports, "a relative import"


def test_no_layer_imports_one_that_imports_it():
    circles = {(a, b) for a, below in MAY_IMPORT.items() for b in below if a in MAY_IMPORT[b]}

    assert circles == set()


@pytest.mark.parametrize(("file", "layer"), EXCEPTIONS)
def test_an_exception_is_still_needed(file, layer):
    assert layer in imports_of(TREES[file])


@pytest.mark.parametrize(
    ("where", "modules"), ONLY_MODULES.items(), ids=map("-".join, ONLY_MODULES)
)
def test_a_layer_knows_only_what_it_needs_of_another(where, modules):
    layer, package = where
    known = {
        name
        for file, tree in TREES.items()
        if layer_of(file) == layer
        for name in modules_of(tree)
        if name.startswith(f"{package}.")
    }
    assert {
        name for name in known if not any(f"{name}.".startswith(f"{m}.") for m in modules)
    } == set()


@pytest.mark.parametrize(("library", "places"), ONLY_IN.items(), ids=ONLY_IN)
def test_a_library_is_known_in_its_places_alone(library, places):
    knowing = {file for file, tree in TREES.items() if library in imports_of(tree)}

    assert {file for file in knowing if not file.startswith(places)} == set()


@pytest.mark.parametrize("file", TREES)
def test_statements_are_sent_by_repositories_alone(file):
    """Services open transactions and hand the connection on; nobody else knows of either."""
    may_use = {"services": {"repositories.sql.Conn", "repositories.sql.transaction"}}
    used = {name for name in modules_of(TREES[file]) if name.startswith("repositories.sql")}

    if layer_of(file) != "repositories":
        assert used <= may_use.get(layer_of(file), set())


@pytest.mark.parametrize("file", TREES)
def test_every_module_says_what_it_is_for(file):
    assert ast.get_docstring(TREES[file])


def test_the_environment_is_read_by_the_settings_alone():
    names = {"environ", "environb", "getenv", "getenvb", "putenv"}
    reading = {
        file
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.alias) and node.name in names)
    }
    assert reading == {"config/settings.py"}


def test_importing_every_module_opens_nothing(tmp_path):
    """No folder is made, no server started, nothing sent: that is the lifespan's work."""
    names = [file.removesuffix(".py").replace("/", ".") for file in TREES]
    # The other system's half of the embedded server imports what only that system has.
    names = [name for name in names if not name.endswith(("_posix", "_windows"))]
    program = f"""
import importlib, socket, subprocess, sys, threading
sys.path.insert(0, {str(SRC)!r})
def opened(*args, **kwargs):
    raise AssertionError("opened")
socket.socket.connect = subprocess.Popen.__init__ = opened
for name in {names!r}:
    importlib.import_module(name.removesuffix(".__init__"))
assert threading.active_count() == 1, threading.enumerate()
"""
    data_dir = tmp_path / "data"
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(data_dir)}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", in_folder("controllers"))
def test_a_controller_is_three_statements_without_try(file):
    for function in ast.walk(TREES[file]):
        if isinstance(function, FUNCTIONS):
            body = function.body[bool(ast.get_docstring(function)) :]
            assert len(body) <= 3, function.name
            assert not any(isinstance(node, ast.Try) for node in ast.walk(function)), function.name


@pytest.mark.parametrize("file", in_folder("routes"))
def test_a_route_file_is_a_table_without_bodies(file):
    functions = (*FUNCTIONS, ast.Lambda, ast.ClassDef)

    assert not any(isinstance(node, functions) for node in ast.walk(TREES[file]))


@pytest.mark.parametrize("path", [*FILES, *sorted(SRC.rglob("*.sql"))], ids=lambda path: path.name)
def test_columns_are_listed(path):
    words = " ".join(path.read_text("utf-8").upper().split())

    assert "SELECT *" not in words
    assert "RETURNING *" not in words


@pytest.mark.parametrize(
    "file", [file for file in in_folder("repositories") if file != "repositories/sql.py"]
)
def test_a_repository_function_is_one_statement(file):
    senders = {"fetch_one", "fetch_all", "execute", "copy_in"}
    for function in TREES[file].body:
        if isinstance(function, FUNCTIONS) and not function.name.startswith("_"):
            sent = [
                node
                for node in ast.walk(function)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in senders
            ]
            assert len(sent) == 1, function.name
