"""The table of every endpoint, written from the route tables; README.md and README.ru.md have it.

`python __tests__/support/endpoint_table.py` puts it into both.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))

from dependencies.auth import OwnOrPermission, Permission, require_member  # noqa: E402
from dependencies.rate_limit import AddressLimit, CallerLimit, LoginLimit  # noqa: E402
from routes import ROUTERS  # noqa: E402

HEADS = {
    "README.md": ("endpoint", "who", "limit"),
    "README.ru.md": ("эндпоинт", "кто", "ограничение"),
}
WORDS = {
    "README.md": {"anyone": "anyone", "member": "member", "own or": "own, or"},
    "README.ru.md": {"anyone": "любой", "member": "участник", "own or": "своё или"},
}


def rows(words: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for router in ROUTERS:
        for route in router.routes:
            asked: Any = [each.dependency for each in route.dependencies]
            path = re.sub(r":[a-z]+}", "}", route.path)
            for method in sorted(route.methods):
                yield f"`{method} {path}`", _who(asked, words), _limits(asked)


def _who(asked: list[Any], words: dict[str, str]) -> str:
    for guard in asked:
        if isinstance(guard, Permission):
            return f"`{guard.name}`"
        if isinstance(guard, OwnOrPermission):
            return f"{words['own or']} `{guard.permission.name}`"
        if guard is require_member:
            return words["member"]
    return words["anyone"]


def _limits(asked: list[Any]) -> str:
    names = [each.name for each in asked if isinstance(each, AddressLimit | CallerLimit)]
    if any(isinstance(each, LoginLimit) for each in asked):
        names += ["login", "login_address"]
    return ", ".join(f"`RATE_LIMIT_{name.upper()}`" for name in names)


def table(readme: str) -> str:
    """In Markdown, for the file of that name."""
    lines = [HEADS[readme], ("---",) * 3, *rows(WORDS[readme])]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def in_text(readme: str, text: str) -> str:
    """The table as it stands in the text of the file."""
    start = text.index(f"| {' | '.join(HEADS[readme])} |\n")
    return text[start:].partition("\n\n")[0].rstrip("\n") + "\n"


if __name__ == "__main__":
    for name in HEADS:
        file = ROOT / name
        text = file.read_text("utf-8")
        file.write_text(text.replace(in_text(name, text), table(name)), "utf-8")
