"""What processes have used, from /proc (Linux): CPU seconds and memory of a process tree."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    """`biggest` is the resident memory of the largest process, in MB; `memory` that of all, in
    which shared pages are counted once."""

    cpu: float = 0.0
    memory: float = 0.0
    biggest: float = 0.0


def tree(root: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def usage_of(root: int | None) -> Usage:
    used = Usage()
    for pid in tree(root) if root else []:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        # The time of children that have ended counts too.
        used.cpu += sum(int(value) for value in fields[11:15]) / TICKS
        sizes = {line.split()[0]: int(line.split()[1]) / 1024 for line in rollup.splitlines()[1:]}
        used.memory += sizes["Pss:"]
        used.biggest = max(used.biggest, sizes["Rss:"])
    return used
