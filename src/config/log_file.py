"""A log file that several processes write and that starts anew when it has grown.

The standard library's RotatingFileHandler is for one process: two rename the files under each
other's hands, which loses lines. Here one renames at a time, under a lock of the kernel's, and the
others notice before their next line that the name stands for another file.
"""

import os
from contextlib import suppress
from itertools import pairwise
from logging import LogRecord
from logging.handlers import WatchedFileHandler
from pathlib import Path

from packages.file_lock import FileLock


class SharedRotatingFileHandler(WatchedFileHandler):
    """Keeps `app.log` and the older `app.log.1` to `app.log.<backups>`."""

    def __init__(self, path: Path, max_bytes: int, backups: int) -> None:
        super().__init__(path, encoding="utf-8")
        self.path, self.max_bytes, self.backups = path, max_bytes, backups

    def emit(self, record: LogRecord) -> None:
        # Where it cannot be renamed (Windows, while others have it open), the file just grows.
        with suppress(OSError):
            if self._is_full():
                self._rotate()
        super().emit(record)

    def _is_full(self) -> bool:
        return os.stat(self.path).st_size >= self.max_bytes

    def _rotate(self) -> None:
        with FileLock(self.path.with_name(f"{self.path.name}.lock")) as lock:
            lock.lock_exclusive()
            if not self._is_full():  # somebody was quicker
                return
            if self.stream:  # Windows renames no open file; the next line opens the new one
                self.stream.close()
                self.stream = None
            names = [self.path, *(Path(f"{self.path}.{n + 1}") for n in range(self.backups))]
            for newer, older in reversed(list(pairwise(names))):
                if newer.exists():
                    newer.replace(older)
