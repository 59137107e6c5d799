"""Patterns that are compiled when they are first used: most logs hold few of the things that we know how to look for."""

from __future__ import annotations

import re
from typing import Any, cast

METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "split")


class _Lazy:
    def __init__(self, pattern: str, flags: int) -> None:
        self._compiled = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._compiled)
        # From now on they are found without coming here.
        self.__dict__.update({method: getattr(compiled, method) for method in METHODS})
        return getattr(compiled, name)


def lazily(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return cast("re.Pattern[str]", _Lazy(pattern, flags))
