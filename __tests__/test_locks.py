"""The locks name whatever the packages in them ask for, extras included.

With hashes, pip before 23.3 refuses a lock that pins `coverage` where a package asks for
`coverage[toml]`, as soon as a newer coverage is out: the first command of the README would rot.
"""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1]
# A later lock is installed together with those before it.
LOCKS = ("requirements.txt", "__tests__/requirements.txt", ".ci/requirements.txt")


def locked(*files):
    """The extras that stand in the locks, by the name of the package."""
    extras = {}
    for file in files:
        for line in re.findall(r"^[\w.-]+.*==[^\\]*", (PROJECT / file).read_text(), re.MULTILINE):
            requirement = Requirement(line)
            extras.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    return extras


def missing_from(locks, wanted, by):
    """What the locks lack of a requirement, which counts only where its marker says so."""
    name = canonicalize_name(wanted.name)
    extras = locks.get(by, {""}) or {""}
    if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in extras):
        return []
    if name not in locks:
        return [f"{by} asks for {wanted}, which is not locked"]
    lacking = sorted(wanted.extras - locks[name])
    return [f"{by} asks for {name}[{each}]" for each in lacking]


def requirements_of(name):
    """None where the package is not installed."""
    try:
        return [Requirement(each) for each in distribution(name).requires or ()]
    except PackageNotFoundError:
        return None


@pytest.mark.parametrize("number", [1, 2, 3], ids=LOCKS)
def test_what_a_locked_package_asks_for_is_locked(number):
    locks = locked(*LOCKS[:number])
    asked = {name: requirements_of(name) for name in locked(LOCKS[number - 1])}
    missing = [
        fault
        for name, wanted in asked.items()
        for each in wanted or ()
        for fault in missing_from(locks, each, name)
    ]

    assert missing == [], "make the locks anew with .ci/lock"
    assert number == 3 or any(asked.values())


def test_what_the_project_asks_for_is_locked():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [
        project["dependencies"],
        project["optional-dependencies"]["tests"],
        project["optional-dependencies"]["ci"],
    ]
    for number, group in enumerate(groups, 1):
        locks = locked(*LOCKS[:number])
        for each in group:
            assert missing_from(locks, Requirement(each), "pyproject.toml") == []


def test_an_extra_that_is_not_locked_is_found():
    wanted = Requirement("coverage[toml]>=7")

    assert missing_from({"coverage": set()}, wanted, "pytest-cov") != []
    assert missing_from({"coverage": {"toml"}}, wanted, "pytest-cov") == []
    assert missing_from({}, Requirement("anyio ; extra == 'x'"), "a") == []
    assert missing_from({"a": {"x"}}, Requirement("anyio ; extra == 'x'"), "a") != []
