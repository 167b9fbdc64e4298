"""The layers, kept by reading the source: who may import whom, and how each layer reads."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"
FILES = sorted(SRC.rglob("*.py"))
TREES = {path.relative_to(SRC).as_posix(): ast.parse(path.read_text("utf-8")) for path in FILES}

# Each layer, and whom of the others it may import: downward only.
MAY_IMPORT = {
    "app": {"config", "dependencies", "routes", "serve"},
    "serve": {"config"},
    "migrate": {"config"},
    "seed_demo": {"config", "demo", "services", "utils"},
    "routes": {"controllers", "dependencies", "dto"},
    "controllers": {"services", "dependencies", "dto", "utils"},
    "dependencies": {"services", "config", "dto", "utils"},
    "services": {"repositories", "config", "demo", "dto", "utils"},
    "repositories": {"dto", "utils"},
    "config": {"utils"},
    "demo": set(),
    "dto": set(),
    "utils": set(),
}
# The SQL helper stands over the pool, which `config` opens and closes.
EXCEPTIONS = {("utils/sql.py", "config")}

# Libraries, and the only places that may know them.
ONLY_IN = {
    "fastapi": ("app.py", "routes/", "controllers/", "dependencies/"),
    # config/startup.py is the lifespan, which Starlette runs in its event loop.
    "starlette": ("app.py", "dependencies/", "config/startup.py"),
    "psycopg": ("config/", "repositories/", "utils/sql.py"),
    "psycopg_pool": ("config/", "utils/sql.py"),
    "jose": ("utils/jwt.py",),
    "dotenv": ("config/settings.py",),
    "pydantic_settings": ("config/settings.py",),
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def layer_of(file: str) -> str:
    return file.partition("/")[0].removesuffix(".py")


def imports_of(tree: ast.Module) -> set[str]:
    """The top names of all imported modules, also of those inside functions."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return {name.partition(".")[0] for name in names}


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


@pytest.mark.parametrize(("library", "places"), ONLY_IN.items(), ids=ONLY_IN)
def test_a_library_is_known_in_its_places_alone(library, places):
    knowing = {file for file, tree in TREES.items() if library in imports_of(tree)}

    assert {file for file in knowing if not file.startswith(places)} == set()


def test_the_environment_is_read_by_the_settings_alone():
    names = {"environ", "environb", "getenv", "getenvb", "putenv"}
    reading = {
        file
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.alias) and node.name in names)
    }
    assert reading <= {"config/settings.py"}


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


@pytest.mark.parametrize("file", in_folder("repositories"))
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
