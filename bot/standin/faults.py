"""What goes wrong on purpose in a stand-in: which requests, how often, and how."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

# reset   the connection is torn down and nothing was done
# lost    the work is done and its answer never arrives
# cut     half of the answer arrives, then the connection ends
# short   half of the answer arrives as if it were all of it
# slow    the answer takes `seconds` longer
# html    a page in place of JSON, with status 200
Kind = Literal["reset", "lost", "cut", "short", "slow", "html"]


@dataclass(eq=False)
class Fault:
    """`times` is how often it strikes (None: until it is taken away), `every` that only each n-th request is struck."""

    pattern: str
    what: int | Kind
    times: int | None = 1
    every: int = 1
    seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    struck: int = 0
    _met: itertools.count[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def strikes(self, method: str, path: str) -> bool:
        """Asked once a request: it counts."""
        if not (fnmatchcase(path, self.pattern) or fnmatchcase(f"{method} {path}", self.pattern)):
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        if next(self._met) % self.every:
            return False
        self.struck += 1
        return True


class Faults:
    """Several may strike one request: slow ones add up, then the first of the others decides."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def for_request(self, method: str, path: str) -> tuple[float, Fault | None]:
        """How many seconds to wait first, and what goes wrong then."""
        seconds = 0.0
        for fault in self._faults:
            if fault.what == "slow":
                seconds += fault.seconds if fault.strikes(method, path) else 0.0
            elif fault.strikes(method, path):
                return seconds + fault.seconds, fault
        return seconds, None
