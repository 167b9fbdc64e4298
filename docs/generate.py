"""Writes what the code knows: the tables of docs/reference.md, the number of the next migration in
docs/add-a-resource.md, and the Postman collection.

    .venv/bin/python docs/generate.py

Run it after a change of endpoints, permissions, settings, errors, metrics or tables. With
`--check` it writes nothing, names what is out of date, and ends with exit code 1.
"""

import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "postman")]

REFERENCE, RECIPE = "docs/reference.md", "docs/add-a-resource.md"
GENERATED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
ROLES = ("guest", "user", "moderator", "admin")


def use_default_settings(data_dir: str) -> None:
    """The developer's own settings must not reach the documentation."""
    os.environ["ENV_FILE"] = os.devnull
    from config.settings import Settings

    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    os.environ |= {"DATA_DIR": data_dir, "LOGLEVEL": "WARNING"}


def generated_files() -> dict[str, str]:
    """Each file as it should be, by its path. Starts a PostgreSQL of its own for a moment."""
    with TemporaryDirectory(prefix="gophertalk-docs-", ignore_cleanup_errors=True) as data_dir:
        use_default_settings(data_dir)
        import collection

        from app import app
        from config import startup
        from config.settings import get_settings
        from services import metrics_service

        with startup.open_resources(get_settings()):
            permissions = held_permissions()
            figures = metrics_service.exposition().decode()

    document = app.openapi()
    tables = {
        "settings": settings_tables((ROOT / ".env.example").read_text("utf-8")),
        "endpoints": endpoint_table(document),
        "permissions": permission_table(permissions),
        "errors": error_table(),
        "codes": code_table(),
        "metrics": metric_table(figures),
    }
    reference = (ROOT / REFERENCE).read_text("utf-8")
    by_admin = {
        operation["operationId"]
        for _, _, operation in operations(document)
        if (name := needed_permission(operation)) and not {"guest", "user"} & permissions[name]
    }
    return {
        REFERENCE: GENERATED.sub(
            lambda found: f"{found[1]}\n{tables[found[2]]}\n\n{found[3]}", reference
        ),
        RECIPE: numbered((ROOT / RECIPE).read_text("utf-8")),
        "postman/gophertalk.postman_collection.json": as_json(
            collection.collection(document, by_admin)
        ),
        "postman/gophertalk.postman_environment.json": as_json(collection.environment(document)),
    }


def held_permissions() -> dict[str, set[str]]:
    """Which built-in roles hold a permission when GopherTalk is new."""
    from repositories.sql import fetch_all

    rows = fetch_all(
        """
        SELECT p.resource || ':' || p.action AS permission, array_agg(r.name::text) AS roles
        FROM permissions p
        JOIN role_permissions rp ON rp.permission_id = p.id
        JOIN roles r ON r.id = rp.role_id
        GROUP BY p.id
        ORDER BY 1
        """
    )
    return {row["permission"]: set(row["roles"]) for row in rows}


def operations(document: dict[str, Any]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def who_and_how_often(operation: dict[str, Any]) -> list[str]:
    """Two sentences, which `dependencies/documentation/openapi.py` writes."""
    found = re.search(r"\*\*Who:\*\* (.*)\.\n\n\*\*How often:\*\* (.*)\.", operation["description"])
    assert found
    return [found[1], found[2]]


def needed_permission(operation: dict[str, Any]) -> str | None:
    """None where a member needs none, as for what is their own."""
    found = re.fullmatch(r"callers with the permission `(.*)`", who_and_how_often(operation)[0])
    return found and found[1]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def settings_tables(example: str) -> str:
    """From the chapters of .env.example: variables that follow each other share the comment."""
    chapters = re.findall(r"^# -+ (.+?) -+\n(.*?)(?=^# --|\Z)", example, re.M | re.DOTALL)
    return "\n\n".join(f"### {title}\n\n{settings_table(text)}" for title, text in chapters)


def settings_table(chapter: str) -> str:
    found = re.findall(r"((?:^#.*\n)*)((?:^\w+=.*\n)+)", chapter, re.MULTILINE)
    return table(
        ("setting", "default", "meaning"),
        (
            (
                "<br>".join(f"`{name}`" for name in re.findall(r"^(\w+)=", variables, re.M)),
                "<br>".join(
                    f"`{value}`" if value else "unset" for value in re.findall(r"=(.*)", variables)
                ),
                " ".join(comment.replace("# ", "").split()),
            )
            for comment, variables in found
        ),
    )


def endpoint_table(document: dict[str, Any]) -> str:
    return table(
        ("endpoint", "what it does", "who", "limit"),
        (
            (
                f"`{method} {path}`",
                operation["summary"],
                who,
                ", ".join(re.findall(r"`RATE_LIMIT_\w+`", how_often)),
            )
            for method, path, operation in operations(document)
            for who, how_often in [who_and_how_often(operation)]
        ),
    )


def permission_table(held: dict[str, set[str]]) -> str:
    return table(
        ("permission", *ROLES),
        (
            (f"`{name}`", *("yes" if role in roles else "" for role in ROLES))
            for name, roles in held.items()
        ),
    )


def error_table() -> str:
    from dependencies.documentation.answers import MEANINGS

    return table(("status", "meaning"), ((str(status), text) for status, text in MEANINGS.items()))


def code_table() -> str:
    from dto.error_codes import CODE_OF_STATUS, SPECIAL_CODES

    return table(
        ("status", "code", "the sentence"),
        (
            (str(status), f"`{code}`", words.replace("*", "…"))
            for status, general in CODE_OF_STATUS.items()
            for code, words in {general: "any other", **SPECIAL_CODES.get(status, {})}.items()
        ),
    )


def metric_table(figures: str) -> str:
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", figures, re.MULTILINE))
    return table(
        ("name", "type", "meaning"),
        (
            (f"`{name}`", kinds[name], words)
            for name, words in sorted(re.findall(r"^# HELP (\w+) (.+)$", figures, re.MULTILINE))
        ),
    )


def numbered(recipe: str) -> str:
    """The recipe's migration is the one after the last."""
    last = max(int(file.name[:4]) for file in (ROOT / "src/migrations").glob("*.sql"))
    recipe = re.sub(r"\d{4}(?=_announcements\.sql)", f"{last + 1:04}", recipe)
    return re.sub(r"(?<=-- works-with: )\d{4}", f"{last:04}", recipe)


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    outdated = {
        name: text
        for name, text in generated_files().items()
        if (ROOT / name).read_text("utf-8") != text
    }
    for name, text in outdated.items():
        if "--check" in sys.argv:
            print(f"{name} is out of date. Run: .venv/bin/python docs/generate.py")
        else:
            (ROOT / name).write_text(text, "utf-8", newline="\n")
            print(f"{name} is written.")
    return 1 if outdated and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
