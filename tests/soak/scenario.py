"""What a scenario is: a coroutine that gives its figures, or raises AssertionError that says what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """`log` is a large audit log, where one was given."""

    folder: Path
    log: Path | None = None


Play = Callable[[Setting], Awaitable[str]]


@dataclass(frozen=True)
class Scenario:
    name: str
    play: Play
    within_s: float


SCENARIOS: list[Scenario] = []


def scenario(name: str, *, within_s: float = 120.0) -> Callable[[Play], Play]:
    def remember(play: Play) -> Play:
        SCENARIOS.append(Scenario(name, play, within_s))
        return play

    return remember
