"""Who goes in at once, kind by kind, so that many of one kind do not stand in the way of the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable


class Crowd:
    """The waiting are remembered in their order; whoever leaves is told who comes next."""

    def __init__(self) -> None:
        self._inside: Counter[Hashable] = Counter()
        self._waiting: defaultdict[Hashable, dict[int, None]] = defaultdict(dict)

    def enters(self, kind: Hashable, row_id: int, at_once: int) -> bool:
        if self._inside[kind] >= at_once:
            self._waiting[kind][row_id] = None
            return False
        self._inside[kind] += 1
        return True

    def leaves(self, kind: Hashable) -> int | None:
        self._inside[kind] -= 1
        waiting = self._waiting[kind]
        following = next(iter(waiting), None)
        if following is not None:
            del waiting[following]
        if not waiting:
            del self._waiting[kind]
        if not self._inside[kind]:
            del self._inside[kind]
        return following
