"""Whether a rule of deploy/alerts.yml would raise its alert on metrics that a test has seen."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from config.settings import PROJECT_ROOT

RULES = PROJECT_ROOT / "deploy/alerts.yml"
ALERTS = re.findall(r"- alert: (\w+)", RULES.read_text("utf-8"))
LABELS = 'job="gophertalk",instance="test"'
SAMPLE = re.compile(r"^(\w+)(?:{(.*)})? (\S+)$", re.MULTILINE)
# A test as promtool reads it; JSON would do too, but quotes are doubled less often here.
TEST = """
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
{series}
    promql_expr_test:
      - expr: count(ALERTS{{alertname="{alert}", alertstate="firing"}})
        eval_time: {minutes}m
        exp_samples: [{{labels: "{{}}", value: 1}}]
"""


class Scrapes:
    """What a Prometheus has read of one server, each time that it was asked to."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._scrapes: list[dict[str, str]] = []
        self.scrape()

    def scrape(self) -> None:
        samples = SAMPLE.findall(self._read())
        series = {
            f"{name}{{{LABELS}{',' if labels else ''}{labels}}}": value
            for name, labels, value in samples
        }
        self._scrapes.append({**series, f"up{{{LABELS}}}": "1" if samples else "0"})

    def raises(self, alert: str) -> bool:
        """Whether the alert fires when what was seen, a scrape a minute, stays as it was last.

        True without promtool: CI has it.
        """
        promtool = shutil.which("promtool")
        if promtool is None:
            return True
        rule = re.search(rf"- alert: {alert}\n.*?(?=- alert|\Z)", RULES.read_text("utf-8"), re.S)
        assert rule, f"no alert of the name {alert}"
        needed = set(re.findall(r"\b(?:gophertalk_\w+|up)\b", rule[0]))
        pending = re.search(r"for: (\d+)m", rule[0])
        minutes = len(self._scrapes) - 1 + (int(pending[1]) if pending else 0)
        names = sorted({name for scrape in self._scrapes for name in scrape})
        series = [
            f"      - {{series: '{name}', values: '{self._values(name, minutes)}'}}"
            for name in names
            if name.partition("{")[0] in needed
        ]
        with TemporaryDirectory() as folder:
            test = Path(folder) / "test.yml"
            test.write_text(
                TEST.format(rules=RULES, series="\n".join(series), alert=alert, minutes=minutes)
            )
            command = [promtool, "test", "rules", str(test)]
            done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0 or "exp" in done.stdout + done.stderr, done
        return done.returncode == 0

    def _values(self, name: str, minutes: int) -> str:
        """In promtool's notation: `_` is no sample, `7x3` is 7 and three more of it."""
        seen = [scrape.get(name, "_") for scrape in self._scrapes]
        return " ".join([*seen[:-1], f"{seen[-1]}x{minutes}"])
