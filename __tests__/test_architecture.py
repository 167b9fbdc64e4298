"""The rules of the house, kept by reading the source: who may import whom, how each layer reads."""

import ast
import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"
TREES = {
    path.relative_to(SRC).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(SRC.rglob("*.py"))
}

# What serves every resource alike, and no resource in particular.
INFRASTRUCTURE = ("config/", "dependencies/", "server/", "utils/", "migrations/")

PROGRAMS = ("create_superuser", "manage", "migrate", "seed_demo", "worker")

# Each room, and those of the others that it may import: downward only.
MAY_IMPORT = {
    "app": {"config", "dependencies", "entry", "lifespan", "routes", "server"},
    "lifespan": {"background", "config", "dependencies", "server", "utils"},
    "server": {"config", "utils"},
    # `entry` checks the version of Python, then a command takes over.
    **{program: {"commands", "entry"} for program in PROGRAMS},
    "entry": set(),
    # They do what a request would do, so they stand where the controllers do; `serve` and
    # `openapi` are about the app itself.
    "commands": {
        "app",
        "background",
        "config",
        "demo",
        "dto",
        "packages",
        "server",
        "services",
        "utils",
    },
    "routes": {"controllers", "dependencies", "dto"},
    "controllers": {"dependencies", "dto", "services"},
    # The guards ask a service who is calling, with the secrets that config keeps.
    "dependencies": {"config", "dto", "services", "utils"},
    # The relay and the consumer speak with RabbitMQ, whose connections config opens.
    "background": {"config", "services", "utils"},
    "services": {"config", "demo", "dto", "migrations", "packages", "repositories", "utils"},
    "repositories": {"config", "dto", "utils"},
    "config": {"migrations", "packages", "utils"},
    "migrations": set(),
    # Libraries without any knowledge of GopherTalk.
    "packages": set(),
    "demo": set(),
    "dto": set(),
    "utils": set(),
}

# What a room may know of another, where that is less than all of it.
ONLY_MODULES = {
    # A guard asks who acts and what they may do; everything else is the controllers' to ask for.
    ("dependencies", "services"): {
        "services.access_cache",
        "services.access_rules",
        "services.rate_limit_service",
        # An answer that lasts is written where what writes answers is.
        "services.open_streams",
        "services.stream_service",
    },
    ("dependencies", "config"): {"config.metrics", "config.secrets", "config.settings"},
    # Whether the pool is open, the settings, the secrets, mail: never the server.
    ("services", "config"): {
        "config.db",
        "config.mail",
        "config.metrics",
        "config.rabbitmq",
        "config.redis",
        "config.secrets",
        "config.settings",
    },
    # The SQL helper stands over the pools, which `config` opens and closes. Who has just written,
    # and must not read a replica, is known by a mark in Redis.
    ("repositories", "config"): {"config.db", "config.redis"},
    # Statements are sent by repositories. A service opens transactions and hands them on.
    ("services", "repositories.sql"): {"repositories.sql.Conn", "repositories.sql.transaction"},
}

# Libraries, and the only places that may know them.
ONLY_IN = {
    "fastapi": ("app.py", "routes/", "controllers/", "dependencies/"),
    # lifespan.py is a hook that Starlette runs in its event loop.
    "starlette": ("app.py", "lifespan.py", "dependencies/"),
    "uvicorn": ("server/",),
    "asyncio": (
        "lifespan.py",
        "background/heartbeat.py",
        "server/drain.py",
        "server/http_protocol.py",
        "dependencies/auth.py",
        "dependencies/middleware/unforeseen_errors.py",  # the cancellation of a request
        "dependencies/routing/threads.py",
        "services/open_streams.py",  # they wait on the event loop, thousands at a time
        "services/stream_service.py",
    ),
    "anyio": (),
    "psycopg": ("config/", "migrations/", "repositories/"),
    "psycopg_pool": ("config/", "repositories/sql.py"),
    # The course's tests replace `bcrypt.hashpw` and `bcrypt.checkpw` under the services.
    "bcrypt": ("services/", "utils/passwords.py"),
    "jose": ("utils/jwt.py",),
    "dotenv": ("config/settings.py",),
    "pydantic_settings": ("config/settings.py",),
    "redis": ("config/redis.py",),
    "pika": ("background/", "config/rabbitmq.py", "packages/work_queue.py"),
    "limits": ("config/setting_rules.py", "services/rate_limit_service.py"),
    "smtplib": ("config/mail.py",),
    "prometheus_client": ("config/metrics.py",),
    "typer": ("commands/command_line.py",),
    "tqdm": ("commands/demo.py",),
    "subprocess": ("packages/",),
}

# The only importer of `app`: it prints the OpenAPI document.
IMPORTERS_OF_APP = {"commands/document.py"}

# `dependencies/` outside of its rooms: what a route table names.
NAMED_BY_ROUTES = {"auth", "client_address", "errors", "pagination", "params", "rate_limit"}
NAMED_BY_ROUTES |= {"refresh_cookie", "stream"}
DEPENDENCY_ROOMS = {"documentation", "middleware", "routing"}

# A resource has the same stem in each layer.
LAYERS = {
    "routes": "_routes.py",
    "controllers": "_controller.py",
    "services": "_service.py",
    "repositories": "_repository.py",
    "dto": "_dto.py",
}
# Whoever registers and logs in is a row of user_repository and session_repository; who is followed,
# muted or blocked is told by a profile of user_dto.
WITHOUT_A_FILE = {"repositories/auth_repository.py", "dto/follow_dto.py", "dto/hiding_dto.py"}
# Not a resource, but what the statements of several have in common.
SHARED_BY_REPOSITORIES = {
    f"repositories/{name}.py" for name in ("post_rows", "replicas", "search", "sql")
}

# Libraries whose private names we use, each in one module, which has a test that finds them.
PRIVATE_NAMES_IN = {
    "fastapi": "dependencies/routing/fastapi_internals.py",
    "psycopg": "config/psycopg_internals.py",
    "uvicorn": "server/uvicorn_internals.py",
}
# Not documented, and so no less private than a name with an underscore.
UNDOCUMENTED = (
    "fastapi.datastructures.DefaultPlaceholder",
    "fastapi.dependencies",
    "fastapi.routing.iter_route_contexts",
    "uvicorn.config",
    "uvicorn.protocols",
    "uvicorn.supervisors.multiprocess",
)
# Public in spite of their names: Python documents them.
NOT_PRIVATE = {"_asdict", "_exit", "_fields", "_replace"}

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def room_of(file: str) -> str:
    return file.partition("/")[0].removesuffix(".py")


def in_room(room: str) -> dict[str, ast.Module]:
    return {file: tree for file, tree in TREES.items() if room_of(file) == room}


def imports_of(tree: ast.Module) -> set[str]:
    """All imported modules, also those inside functions; `from a import b` counts as `a.b`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def top_names(tree: ast.Module) -> set[str]:
    return {name.partition(".")[0] for name in imports_of(tree)}


def is_within(name: str, module: str) -> bool:
    return f"{name}.".startswith(f"{module}.")


def file_of(name: str) -> str | None:
    """The file behind an imported name; None for a library."""
    while name:
        path = name.replace(".", "/")
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if file in TREES:
                return file
        name = name.rpartition(".")[0]
    return None


def functions_of(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


class TestImports:
    def test_every_file_belongs_to_a_room(self):
        assert {room_of(file) for file in TREES} == set(MAY_IMPORT)

    def test_are_absolute_and_point_downward(self):
        forbidden = [
            f"{file} imports {name or 'relatively'}"
            for file, tree in TREES.items()
            for name in top_names(tree) & {"", *MAY_IMPORT}
            if name not in {room_of(file), *MAY_IMPORT[room_of(file)]}
        ]
        assert forbidden == []

    def test_run_in_no_circle(self):
        """Over however many files, imports inside functions included."""
        graph = {
            file: {found for name in imports_of(tree) if (found := file_of(name))} - {file}
            for file, tree in TREES.items()
        }
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            pytest.fail(" <- ".join(error.args[1]))

    def test_nobody_imports_the_app_but_the_command_that_documents_it(self):
        assert {file for file, tree in TREES.items() if "app" in top_names(tree)} == (
            IMPORTERS_OF_APP
        )

    def test_of_a_room_are_only_those_that_it_needs(self):
        forbidden = [
            f"{file} imports {name}"
            for (room, package), modules in ONLY_MODULES.items()
            for file, tree in in_room(room).items()
            for name in imports_of(tree)
            if is_within(name, package) and not any(is_within(name, each) for each in modules)
        ]
        assert forbidden == []

    def test_of_a_library_are_in_its_places_alone(self):
        forbidden = [
            f"{file} imports {library}"
            for library, places in ONLY_IN.items()
            for file, tree in TREES.items()
            if library in top_names(tree) and not file.startswith(places)
        ]
        assert forbidden == []

    def test_open_nothing(self, tmp_path):
        """No folder is made, no server started, nothing sent: that is the lifespan's work."""
        names = [file.removesuffix(".py").replace("/", ".") for file in TREES]
        # The other system's half of the embedded server imports what only that system has.
        names = [name for name in names if not name.endswith((".posix", ".windows"))]
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
        environment = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(data_dir),
        }
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True
        )

        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
        assert list(tmp_path.iterdir()) == []


class TestRooms:
    def test_every_module_says_what_it_is_for(self):
        assert [file for file, tree in TREES.items() if not ast.get_docstring(tree)] == []

    def test_a_resource_has_the_same_stem_in_each_layer(self):
        stems = {
            file.removeprefix(f"{layer}/").removesuffix(LAYERS[layer])
            for layer in ("routes", "controllers")
            for file in in_room(layer)
            if not file.endswith("__init__.py")
        }
        expected = {f"{layer}/{stem}{end}" for stem in stems for layer, end in LAYERS.items()}

        assert expected - TREES.keys() == WITHOUT_A_FILE

    def test_infrastructure_is_less_than_a_third_of_the_lines(self):
        lines = {
            path.relative_to(SRC).as_posix(): len(path.read_text("utf-8").splitlines())
            for path in SRC.rglob("*")
            if path.suffix in {".py", ".sql"}
        }
        infrastructure = [
            count
            for file, count in lines.items()
            if file.endswith(".py") and (file.startswith(INFRASTRUCTURE) or "/" not in file)
        ]

        assert sum(infrastructure) * 3 < sum(lines.values())

    def test_dependencies_hold_what_a_route_table_names_and_three_rooms(self):
        inside = {file.split("/")[1].removesuffix(".py") for file in in_room("dependencies")}

        assert inside == {"__init__", *NAMED_BY_ROUTES, *DEPENDENCY_ROOMS}

    def test_the_environment_is_read_by_the_settings_alone(self):
        names = {"environ", "environb", "getenv", "getenvb", "putenv"}
        reading = {
            file
            for file, tree in TREES.items()
            for node in ast.walk(tree)
            if (isinstance(node, ast.Attribute) and node.attr in names)
            or (isinstance(node, ast.alias) and node.name in names)
        }
        assert reading == {"config/settings.py"}

    def test_private_names_of_a_library_stand_in_one_module(self):
        """`x._name`, where nothing of ours has that name, and `from library import _name`."""
        ours = {
            getattr(node, "name", None) or getattr(node, "attr", None) or getattr(node, "id", None)
            for tree in TREES.values()
            for node in ast.walk(tree)
            if isinstance(node, (*FUNCTIONS, ast.ClassDef))
            or (isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store))
        }

        def is_private(name: str) -> bool:
            return name.startswith("_") and not name.startswith("__")

        using = {
            file
            for file, tree in TREES.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and is_private(node.attr)
            if node.attr not in ours | NOT_PRIVATE
        } | {
            file
            for file, tree in TREES.items()
            for name in imports_of(tree)
            if any(map(is_private, name.split("."))) or name.startswith(UNDOCUMENTED)
        }
        assert using == set(PRIVATE_NAMES_IN.values())
        for library, file in PRIVATE_NAMES_IN.items():
            assert library in top_names(TREES[file]), file

    def test_a_dto_has_no_state_and_decides_nothing(self):
        """Its functions are its own validators': other rooms import types, and no functions."""
        functions = {
            f"{file.removesuffix('.py').replace('/', '.')}.{function.name}"
            for file, tree in in_room("dto").items()
            for function in functions_of(tree)
        }
        imported = [
            f"{file} imports {name}"
            for file, tree in TREES.items()
            for name in imports_of(tree) & functions
            if room_of(file) != "dto"
        ]
        stateful = [
            file for file, tree in in_room("dto").items() if "contextvars" in top_names(tree)
        ]
        # A validator of numbers in a query.
        assert imported == ["dependencies/pagination.py imports dto.fields.check_decimal"]
        assert stateful == []

    def test_a_controller_is_three_statements_without_try(self):
        too_much = [
            f"{file}: {function.name}"
            for file, tree in in_room("controllers").items()
            for function in functions_of(tree)
            if len(function.body) - bool(ast.get_docstring(function)) > 3
            or any(isinstance(node, ast.Try) for node in ast.walk(function))
        ]
        assert too_much == []

    def test_a_route_file_is_a_table_without_bodies(self):
        bodies = (*FUNCTIONS, ast.Lambda, ast.ClassDef)
        having = {
            file
            for file, tree in in_room("routes").items()
            for node in ast.walk(tree)
            if isinstance(node, bodies)
        }
        assert having == set()

    def test_columns_are_listed(self):
        for path in (*SRC.rglob("*.py"), *SRC.rglob("*.sql")):
            words = " ".join(path.read_text("utf-8").upper().split())
            assert "SELECT *" not in words, path
            assert "RETURNING *" not in words, path

    def test_statements_are_sent_by_repositories_alone(self):
        knowing = {
            room_of(file)
            for file, tree in TREES.items()
            if any(is_within(name, "repositories.sql") for name in imports_of(tree))
        }
        assert knowing <= {"repositories", "services"}

    def test_a_repository_function_is_one_statement(self):
        senders = {"fetch_one", "fetch_all", "execute", "execute_script", "copy_in"}
        for file, tree in in_room("repositories").items():
            for function in tree.body if file not in SHARED_BY_REPOSITORIES else ():
                if isinstance(function, FUNCTIONS) and not function.name.startswith("_"):
                    sent = [
                        node
                        for node in ast.walk(function)
                        if isinstance(node, ast.Call)
                        and isinstance(node.func, ast.Name)
                        and node.func.id in senders
                    ]
                    assert len(sent) == 1, f"{file}: {function.name}"
