"""What `/metrics` shows: the counters and gauges, and their text for Prometheus.

With several workers, each writes its figures to files in one folder, and the worker that answers
`/metrics` adds them up. prometheus_client chooses between these files and plain memory when it is
imported, by a variable that `multiprocess_folder()` sets in the process that starts the workers.
"""

import os
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.settings import Settings, get_variable, set_variable

# The variable in which prometheus_client looks for the folder.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# Methods and paths come from clients, so all unknown ones are counted under one name.
KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER_METHOD = "other"
NO_ROUTE = "unmatched"
# Those that alerts ask for: the client left, the server failed, PostgreSQL does not answer.
FAULTS = (499, 500, 503)

disable_created_metrics()
_registry = CollectorRegistry()

_REQUEST = ("route", "method", "status")
_requests = Counter(
    "gophertalk_http_requests_total",
    "Requests that were answered, by route, method and status.",
    _REQUEST,
    registry=_registry,
)
_seconds = Histogram(
    "gophertalk_http_request_duration_seconds",
    "From a request's arrival to the end of its answer, with the same labels.",
    _REQUEST,
    buckets=BUCKETS_SECONDS,
    registry=_registry,
)
_logins_failed = Counter(
    "gophertalk_logins_failed_total", "Logins with a wrong name or password.", registry=_registry
)
_rate_limited = Counter(
    "gophertalk_rate_limited_total",
    "Requests over a limit, by the name of the limit.",
    ["limit"],
    registry=_registry,
)
# Each limit is there from the start: Prometheus' increase() does not see a first value.
for name in Settings.model_fields:
    if name.startswith("rate_limit_"):
        _rate_limited.labels(name.removeprefix("rate_limit_"))
_cache_hits = Counter(
    "gophertalk_order_cache_hits_total", "Orders read from Redis.", registry=_registry
)
_cache_misses = Counter(
    "gophertalk_order_cache_misses_total", "Orders that Redis did not have.", registry=_registry
)
_events_parked = Counter(
    "gophertalk_events_parked_total", "Events that were given up.", registry=_registry
)
_pool_errors = Counter(
    "gophertalk_db_pool_errors_total", "Requests for a connection that failed.", registry=_registry
)


def _sum_of_workers(name: str, text: str) -> Gauge:
    return Gauge(name, text, registry=_registry, multiprocess_mode="livesum")


_pool = {
    "pool_size": _sum_of_workers("gophertalk_db_pool_connections", "Connections that are open."),
    "pool_available": _sum_of_workers("gophertalk_db_pool_idle", "Connections that are idle."),
    "requests_waiting": _sum_of_workers(
        "gophertalk_db_pool_waiting", "Requests that wait for one."
    ),
}

_streams = _sum_of_workers("gophertalk_streams", "Live streams that are open.")

# The functions that count a request, looked up once for each route, method and status.
_children: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}


def expect(route: str, method: str) -> None:
    """Requests may come for it. Its faults are counted from the start, without their durations,
    which would be fifteen lines for each: Prometheus' increase() does not see a first value."""
    for status in FAULTS:
        _requests.labels(route, method, status)


def observe(route: str | None, method: str, status: int, seconds: float) -> None:
    """A request was answered. `route` is its template, such as `/api/posts/{post_id}`."""
    key = (route or NO_ROUTE, method if method in KNOWN_METHODS else OTHER_METHOD, status)
    child = _children.get(key)
    if child is None:
        child = _children[key] = (_requests.labels(*key).inc, _seconds.labels(*key).observe)
    child[0]()
    child[1](seconds)


def login_failed() -> None:
    _logins_failed.inc()


def rate_limited(name: str) -> None:
    """A request was refused by the limit RATE_LIMIT_<NAME>."""
    _rate_limited.labels(name).inc()


def event_parked() -> None:
    _events_parked.inc()


def order_cache_hit() -> None:
    _cache_hits.inc()


def order_cache_missed() -> None:
    _cache_misses.inc()


def set_pool_stats(stats: Mapping[str, int]) -> None:
    """`stats`: from psycopg_pool's `pop_stats()`; its counts are those since the last call."""
    for name, gauge in _pool.items():
        gauge.set(stats.get(name, 0))
    _pool_errors.inc(stats.get("requests_errors", 0))


def set_streams(number: int) -> None:
    _streams.set(number)


class _MeasuredNow(Collector):
    """Gauges whose values are measured for this answer."""

    def __init__(self, values: Mapping[str, tuple[str, float]]) -> None:
        self._values = values

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, (text, value) in self._values.items():
            yield GaugeMetricFamily(name, text, value)


def exposition(measured: Mapping[str, tuple[str, float]]) -> bytes:
    """All figures in Prometheus' text format. `measured`: more gauges, by name: help and value."""
    everything = CollectorRegistry()
    everything.register(_MeasuredNow(measured))
    if folder := get_variable(FOLDER):
        _remove_gauges_of_dead_workers(Path(folder))
        multiprocess.MultiProcessCollector(everything, folder)
        return generate_latest(everything)
    return generate_latest(everything) + generate_latest(_registry)


@contextmanager
def multiprocess_folder() -> Generator[None]:
    """A new folder for the workers that are started within this block; removed at its end."""
    with TemporaryDirectory(prefix="gophertalk-metrics-", ignore_cleanup_errors=True) as folder:
        set_variable(FOLDER, folder)
        yield


def _remove_gauges_of_dead_workers(folder: Path) -> None:
    """The counters of a dead worker stay, but its connections are closed."""
    for path in folder.glob("gauge_live*.db"):
        pid = int(path.stem.rpartition("_")[2])
        if not _is_alive(pid):
            multiprocess.mark_process_dead(pid, str(folder))


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":  # there `os.kill` would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
