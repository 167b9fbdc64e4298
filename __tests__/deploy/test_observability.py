"""deploy/alerts.yml and deploy/dashboard.json: they ask for metrics that are there."""

import json
import re
import subprocess

import pytest
from alerts import ALERTS, RULES
from tools import needed_program

from config.settings import PROJECT_ROOT
from services import metrics_service

DASHBOARD = PROJECT_ROOT / "deploy/dashboard.json"
PANELS = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]


@pytest.fixture
def metrics(client):
    """The names of all that /metrics has to say, as soon as a request was answered."""
    client.get("/api/livez")
    return set(re.findall(r"^(gophertalk_\w+)", metrics_service.exposition().decode(), re.M))


@pytest.mark.parametrize("file", [RULES, DASHBOARD], ids=lambda file: file.name)
def test_every_metric_exists(metrics, file):
    asked = set(re.findall(r"\bgophertalk_\w+", file.read_text("utf-8")))
    assert asked
    assert asked <= metrics


def test_panels_are_told_apart_and_do_not_overlap():
    places = [panel["gridPos"] for panel in PANELS]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for name in ("id", "title"):
        assert len({panel[name] for panel in PANELS}) == len(PANELS)


def test_alerts_are_told_apart():
    assert len(set(ALERTS)) == len(ALERTS) > 5


@pytest.mark.tools
def test_prometheus_takes_the_rules_and_the_queries(tmp_path):
    """A query of the dashboard is checked as a rule that records it."""
    promtool = needed_program("promtool")
    rules = [
        {"record": f"query_{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, query in enumerate(QUERIES)
    ]
    queries = tmp_path / "queries.yml"
    queries.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    for file in (RULES, queries):
        checked = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        assert "SUCCESS" in checked.stdout
