"""Medians and spread of the repeated runs, as a table in Markdown and as JSON."""

import json
from pathlib import Path
from statistics import median

COLUMNS = (
    ("endpoint", "endpoint"),
    ("req/s", "per_second"),
    ("min to max", "spread"),
    ("p50 ms", "p50"),
    ("p99 ms", "p99"),
    ("errors", "errors"),
    ("CPU us", "cpu_us"),
    ("db CPU s", "database_cpu"),
    ("worker MB", "worker_memory"),
    ("server MB", "server_memory"),
    ("db MB", "database_memory"),
    ("pgbench/s", "pgbench"),
    ("of it", "of_pgbench"),
    ("bare/s", "bare"),
    ("of it", "of_bare"),
    ("handler/s", "handler"),
    ("of it", "of_handler"),
    ("its CPU us", "handler_cpu_us"),
)


def summary(name: str, runs: list[dict[str, float]]) -> dict[str, object]:
    """One row: the medians of all figures, errors summed."""
    row: dict[str, object] = {"endpoint": name, "runs": runs}
    for key in runs[0]:
        row[key] = median(run[key] for run in runs)
    rates = [run["per_second"] for run in runs]
    row["errors"] = sum(run["errors"] for run in runs)
    row["spread"] = f"{min(rates):.0f} to {max(rates):.0f}"
    for limit in ("pgbench", "bare", "handler"):
        if limit in row:
            # Each run is compared with the limit that was measured right after it.
            ratio = median(run["per_second"] / run[limit] for run in runs)
            row[f"of_{limit}"] = ratio
    return row


def table(rows: list[dict[str, object]]) -> str:
    lines = ["| " + " | ".join(title for title, _ in COLUMNS) + " |"]
    lines.append("|---|" + "---:|" * (len(COLUMNS) - 1))
    for row in rows:
        lines.append("| " + " | ".join(_cell(key, row.get(key)) for _, key in COLUMNS) + " |")
    return "\n".join(lines)


def _cell(key: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if key.startswith("of_"):
        return f"{value:.0%}"
    return f"{value:.1f}" if key in {"p50", "p99", "database_cpu"} else f"{value:.0f}"


def write(path: Path, result: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
