"""A program is interrupted once, and its end is not interrupted again."""

import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

PROGRAM = """
import signal, sys
sys.path.insert(0, "src")
from utils.stop_signals import interrupt_on_signals

for name in ("SIGTERM", "SIGINT", "SIGHUP"):  # these tests may have been started to ignore them
    signal.signal(getattr(signal, name), signal.SIG_DFL)
{before}
interrupt_on_signals()
try:
    for name in {signals}:
        signal.raise_signal(getattr(signal, name))
    print("never interrupted")
except KeyboardInterrupt:
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        signal.raise_signal(getattr(signal, name))
    print("closed")
"""


def run(signals, before=""):
    program = PROGRAM.format(signals=signals, before=before)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_the_first_signal_interrupts_and_no_other(name):
    assert run([name]) == "closed"


def test_a_signal_that_was_ignored_at_the_start_stays_ignored():
    before = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"

    assert run(["SIGHUP"], before) == "never interrupted"
    assert run(["SIGHUP", "SIGTERM"], before) == "closed"
