"""What the pages point at is there, and what they say of it is true."""

import re
import subprocess
import sys

import pytest
from pages import IN_RUSSIAN, PAGES, README, RECIPE

from config.settings import PROJECT_ROOT, Settings

EXAMPLE = (PROJECT_ROOT / ".env.example").read_text("utf-8")
VARIABLES = {name.upper() for name in Settings.model_fields}


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page):
    anchors = {each.name: {anchor(found[2]) for found in each.headings()} for each in PAGES}
    folder = (PROJECT_ROOT / page.name).parent
    for link in re.findall(r"\]\((?!http)([^)]+)\)", page.text):
        name, _, heading = link.partition("#")
        file = (folder / name).resolve() if name else PROJECT_ROOT / page.name
        assert file.exists(), link
        if heading:
            assert heading in anchors[file.relative_to(PROJECT_ROOT).as_posix()], link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_is_named_is_there(page):
    code = " ".join(re.findall(r"`([^`\n]+)`", page.text))
    folders = r"\b(?:src|bench|docs|postman|clients|deploy)|__tests__"
    named = set(re.findall(rf"(?<![\w/.])((?:{folders})/[\w/.@-]*)(?!\*)", code))
    made = set(re.findall(r"`(\S+)`:$", page.text, re.MULTILINE)) if page is RECIPE else set()
    missing = {name for name in named if not (PROJECT_ROOT / name).exists()}
    assert missing <= made


def test_what_is_generated_is_up_to_date():
    command = [sys.executable, str(PROJECT_ROOT / "docs/generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


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


class TestRussian:
    """README.ru.md is README.md: only words are translated; in code only comments, and what stands
    in quotes in a Mermaid drawing."""

    BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

    def code(self, page):
        return [
            (language, re.sub(r'".*?"' if language == "mermaid" else r"(?m)^# .*$", "", block))
            for language, block in self.BLOCK.findall(page.text)
        ]

    def marked_as_code(self, page):
        """Names of files and commands, outside of blocks."""
        return sorted(re.findall(r"`[^`\n]+`", self.BLOCK.sub("", page.text)))

    def test_has_the_same_headings_translated(self):
        levels, in_russian = (
            [found[1] for found in page.headings()] for page in (README, IN_RUSSIAN)
        )
        assert levels == in_russian
        untranslated = {found[2] for found in IN_RUSSIAN.headings()[1:]}
        assert all(re.search("[а-яё]", heading) for heading in untranslated)

    def test_has_the_same_code(self):
        assert self.code(IN_RUSSIAN) == self.code(README)
        assert len(self.code(README)) > 5

    def test_names_the_same_files_and_commands(self):
        assert self.marked_as_code(IN_RUSSIAN) == self.marked_as_code(README)

    def test_has_the_same_links(self):
        link = re.compile(r"\]\(([^)]*)\)")
        assert link.findall(IN_RUSSIAN.text)[1:] == link.findall(README.text)[1:]
