"""schemathesis reads /openapi.json and holds every answer against it, as a guest, a member and a
superuser: no 5xx, no undocumented status, header, type or shape, nothing invalid accepted,
nothing valid refused, no wrong method served. (Who may do what is `routes/test_guards.py`'s.)

The same examples every time. For longer runs, of other examples:

    FUZZ_EXAMPLES=1000 FUZZ_SEED=7 DEMAND_TOOLS=1 pytest __tests__/abuse/test_fuzz.py
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shop import new_product
from tools import needed_module

from repositories import post_repository

pytestmark = pytest.mark.tools
HERE = Path(__file__).parent
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "8")
SEED = ["--seed", os.environ["FUZZ_SEED"]] if "FUZZ_SEED" in os.environ else []


@pytest.fixture(scope="module", autouse=True)
def schemathesis():
    """Asked for first, or a server would start in vain."""
    needed_module("schemathesis")


@pytest.mark.parametrize(
    ("caller", "phases"),
    [
        ("guest", "examples,coverage"),
        ("member", "examples,coverage,fuzzing"),
        ("superuser", "examples,coverage,fuzzing"),
        ("superuser", "stateful"),
    ],
)
def test_every_answer_is_as_documented(server, web, person, role, tmp_path, caller, phases):
    anna, root = person("gopher_anna"), person("gopher_root", is_superuser=True)
    who = {"guest": None, "member": anna, "superuser": root}[caller]
    # Something to hit.
    role("warden", "post:delete_any")
    new_product()
    for text in ("Hello", "again"):
        post_repository.create_post({"text": text, "user_id": anna.id, "reply_to_id": None})

    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE)}
    environment["FUZZ_CALLER"] = caller
    if who:
        environment["FUZZ_AUTHORIZATION"] = who.headers["Authorization"]
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "fuzz.toml", "run"),
            *(f"{server.url}/openapi.json", "--checks=all", "--phases", phases),
            *("--max-examples", EXAMPLES, *(SEED or ["--generation-deterministic"])),
            *("--continue-on-failure", "--no-color", "--request-timeout=30"),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    print(run.stdout)
    assert run.returncode == 0, run.stderr
    # Nothing that was tried has shut the caller out, so that the rest was tried as a guest.
    assert who is None or web.get("/api/users/me", headers=who.headers).status_code == 200
