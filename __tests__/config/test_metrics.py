"""The figures in memory, and in the files of several workers."""

import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import pytest
from prometheus_client.parser import text_string_to_metric_families

from config import metrics, settings


@pytest.fixture(autouse=True)
def no_requests_yet():
    """Those of all other tests would make each answer long."""
    for figures in (metrics._requests, metrics._seconds):
        figures.clear()
    metrics._children.clear()


def figures(text):
    """The samples by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def requests(route, method, status):
    labels = (("method", method), ("route", route), ("status", str(status)))
    shown = figures(metrics.exposition({}).decode())
    count = shown.get(("gophertalk_http_requests_total", *labels), 0)
    duration = "gophertalk_http_request_duration_seconds"
    assert shown.get((f"{duration}_count", *labels), 0) == count
    return count, shown.get((f"{duration}_sum", *labels), 0)


def test_requests_are_counted_and_timed():
    before = requests("/api/tests/{id}", "GET", 200)
    for seconds in (0.25, 0.5):
        metrics.observe("/api/tests/{id}", "GET", 200, seconds)

    after = requests("/api/tests/{id}", "GET", 200)
    assert (after[0] - before[0], after[1] - before[1]) == (2, 0.75)


@pytest.mark.parametrize(
    ("route", "method", "shown"),
    [(None, "GET", ("unmatched", "GET")), ("/api/x", "BREW", ("/api/x", "other"))],
)
def test_what_comes_from_outside_makes_no_name(route, method, shown):
    before = requests(*shown, 404)[0]
    metrics.observe(route, method, 404, 0.001)

    assert requests(*shown, 404)[0] == before + 1


def test_faults_of_a_route_are_there_from_the_start():
    metrics.expect("/api/tests/{id}", "GET")

    shown = figures(metrics.exposition({}).decode())
    name, labels = (
        "gophertalk_http_requests_total",
        (("method", "GET"), ("route", "/api/tests/{id}")),
    )
    for status in ("499", "500", "503"):
        assert shown[(name, *labels, ("status", status))] == 0


@pytest.mark.parametrize("name", ["login", "post"])
def test_limits_are_counted_by_name(name):
    def count():
        shown = figures(metrics.exposition({}).decode())
        return shown.get(("gophertalk_rate_limited_total", ("limit", name)), 0)

    before = count()
    metrics.rate_limited(name)
    assert count() == before + 1


def test_the_pool_is_shown_as_it_is_and_its_errors_add_up():
    def shown():
        lines = figures(metrics.exposition({}).decode())
        names = ("connections", "idle", "waiting", "errors_total")
        return [lines[(f"gophertalk_db_pool_{name}",)] for name in names]

    errors = shown()[3]
    stats = {"pool_size": 4, "pool_available": 1, "requests_waiting": 3, "requests_errors": 2}
    metrics.set_pool_stats(stats)
    assert shown() == [4, 1, 3, errors + 2]
    metrics.set_pool_stats({"pool_size": 2})
    assert shown() == [2, 0, 0, errors + 2]


def test_what_is_asked_for_is_a_gauge():
    text = metrics.exposition({"gophertalk_tests": ("A figure of this test.", 7)}).decode()

    assert "# TYPE gophertalk_tests gauge\ngophertalk_tests 7.0\n" in text


WORKER = """
import sys
sys.path.insert(0, sys.argv[1])
from config import metrics
metrics.observe("/api/posts", "GET", 200, 0.002)
metrics.login_failed()
metrics.set_pool_stats({"pool_size": 5, "requests_errors": 1})
print("ready", flush=True)
sys.stdin.readline()
sys.stdout.write(metrics.exposition({}).decode())
"""


@pytest.fixture
def workers(monkeypatch):
    """Starts processes that count the same things and, once told to, show all figures."""
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(Path(settings.__file__).parents[1])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    monkeypatch.setenv(metrics.FOLDER, "")
    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_any_worker_shows_the_figures_of_all_and_forgets_connections_of_the_dead(workers):
    with metrics.multiprocess_folder():
        folder = Path(settings.get_variable(metrics.FOLDER))
        first, second, third = workers(), workers(), workers()
        shown = figures(second.communicate("show\n")[0])
        assert shown[("gophertalk_logins_failed_total",)] == 3
        assert shown[("gophertalk_db_pool_connections",)] == 15
        # The second has ended by now, and the third by force.
        third.kill()
        third.wait()
        shown = figures(first.communicate("show\n")[0])
    labels = (("method", "GET"), ("route", "/api/posts"), ("status", "200"))
    assert shown[("gophertalk_http_requests_total", *labels)] == 3
    assert shown[("gophertalk_http_request_duration_seconds_count", *labels)] == 3
    assert shown[("gophertalk_db_pool_errors_total",)] == 3
    assert shown[("gophertalk_db_pool_connections",)] == 5
    assert folder.is_relative_to(gettempdir())
    assert not folder.exists()
