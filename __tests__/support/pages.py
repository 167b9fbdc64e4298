"""A page of the documentation, taken apart."""

import re
from textwrap import dedent

from config.settings import PROJECT_ROOT

HEADING_OR_BLOCK = re.compile(r"^```.*?^```$|^(#+) ([^\n]+)$", re.MULTILINE | re.DOTALL)


class Page:
    """`Page("docs/operations.md")`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = (PROJECT_ROOT / name).read_text("utf-8")

    def headings(self) -> list[re.Match[str]]:
        """Those of all levels: group 1 is the marks, 2 the words. A comment in code is none."""
        return [found for found in HEADING_OR_BLOCK.finditer(self.text) if found[1]]

    def section(self, heading: str) -> str:
        """What stands under a heading, up to the next of its level or above."""
        start = next(found for found in self.headings() if found[2] == heading)
        later = [found for found in self.headings() if found.start() > start.start()]
        ends = [found.start() for found in later if len(found[1]) <= len(start[1])]
        return self.text[start.end() : min(ends, default=len(self.text))]

    def blocks(self, heading: str, language: str) -> list[str]:
        """The code under a heading."""
        pattern = rf"^ *```{language}\n(.*?)^ *```"
        found = re.findall(pattern, self.section(heading), re.MULTILINE | re.DOTALL)
        return [dedent(block) for block in found]

    def table(self, heading: str) -> list[list[str]]:
        """The cells of the first table under a heading, row by row, without its head."""
        lines = re.findall(r"(?:^\|.*\n)+", self.section(heading), re.MULTILINE)[0].splitlines()
        return [
            [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in lines[2:]
        ]


README = Page("README.md")
IN_RUSSIAN = Page("README.ru.md")
OPERATIONS = Page("docs/operations.md")
RECIPE = Page("docs/add-a-resource.md")
FRONT_END = Page("docs/front-end.md")
PAGES = [
    README,
    IN_RUSSIAN,
    OPERATIONS,
    RECIPE,
    FRONT_END,
    *map(Page, ("docs/reference.md", "docs/performance.md")),
]
