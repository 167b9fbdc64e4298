"""README.md, taken apart."""

import re

from config.settings import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text("utf-8")
HEADING_OR_BLOCK = re.compile(r"^```.*?^```$|^(#+) ([^\n]+)$", re.MULTILINE | re.DOTALL)


def headings(text: str = README) -> list[re.Match[str]]:
    """Those of all levels: the marks, and the words. A comment in a block of code is none."""
    return [found for found in HEADING_OR_BLOCK.finditer(text) if found[1]]


def section(heading: str) -> str:
    """What stands under a heading, up to the next of its level or above."""
    start = next(found for found in headings() if found[2] == heading)
    later = [found for found in headings() if found.start() > start.start()]
    ends = [found.start() for found in later if len(found[1]) <= len(start[1])]
    return README[start.end() : min(ends, default=len(README))]


def blocks(heading: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", section(heading), re.MULTILINE | re.DOTALL)


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, row by row, without its head."""
    lines = re.findall(r"(?:^\|.*\n)+", section(heading), flags=re.MULTILINE)[0].splitlines()
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines[2:]
    ]
