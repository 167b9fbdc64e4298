"""Locks on files. The kernel releases them when their holder ends, however it ends."""

import os
import sys
from pathlib import Path
from typing import Self

if sys.platform == "win32":
    import msvcrt
    import time
    from contextlib import suppress

    class FileLock:
        """NOT VERIFIED on Windows, which locks bytes of a file: a shared lock takes one of 64
        bytes, an exclusive lock takes all of them.

        A lock ends with the `with` block or the process; a child process does not inherit it.
        """

        SHARED_BYTES = 64
        POLL_SECONDS = 0.02

        def __init__(self, path: Path) -> None:
            self._file = path.open("ab+", buffering=0)

        def lock_shared(self) -> None:
            while not any(self._lock(byte, 1) for byte in range(self.SHARED_BYTES)):
                time.sleep(self.POLL_SECONDS)

        def lock_exclusive(self) -> None:
            while not self.try_lock_exclusive():
                time.sleep(self.POLL_SECONDS)

        def try_lock_exclusive(self) -> bool:
            for byte in range(self.SHARED_BYTES):  # our own shared lock would be in the way
                self._file.seek(byte)
                with suppress(OSError):
                    msvcrt.locking(self._file.fileno(), msvcrt.LK_UNLCK, 1)
            return self._lock(0, self.SHARED_BYTES)

        def _lock(self, first: int, count: int) -> bool:
            self._file.seek(first)
            try:
                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, count)
            except OSError:
                return False
            return True

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

else:
    import fcntl

    class FileLock:
        """Held until the `with` block ends, or all processes that have `fd`, inherited or not."""

        def __init__(self, path: Path) -> None:
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            if os.geteuid() == 0:  # the folder's owner must be able to lock it later, without root
                owner = path.parent.stat()
                os.fchown(self.fd, owner.st_uid, owner.st_gid)

        def lock_shared(self) -> None:
            fcntl.flock(self.fd, fcntl.LOCK_SH)

        def lock_exclusive(self) -> None:
            fcntl.flock(self.fd, fcntl.LOCK_EX)

        def try_lock_exclusive(self) -> bool:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.fd)
