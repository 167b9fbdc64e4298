"""Which replicas are late. They are compared with where the primary was some moments ago, so no
clock of theirs counts, nor whether they know that they have lost the primary."""

from collections import deque
from time import monotonic

from config import db
from repositories import replica_repository
from utils.errors import Unavailable

# With the time between two looks, what a reader sees is at most a second old.
MAX_LAG_SECONDS = 0.5
# So long a look counts: the next one may be late.
TRUST_SECONDS = 0.75


class LagGuard:
    """Looks at the primary and all replicas, again and again."""

    def __init__(self) -> None:
        self._positions: deque[tuple[float, str]] = deque()

    def look(self) -> None:
        """Afterwards, statements that may lag go to the replicas that are up to date."""
        try:
            self._positions.append((monotonic(), replica_repository.primary_position()))
        except Unavailable:  # the next primary has a position of its own
            self._positions.clear()
            return
        while len(self._positions) > 1 and self._positions[1][0] < monotonic() - MAX_LAG_SECONDS:
            self._positions.popleft()
        for replica in db.replicas:
            asked_at = monotonic()
            applied = replica_repository.has_applied(replica, self._positions[0][1])
            replica.fresh_until = asked_at + TRUST_SECONDS if applied else 0.0
