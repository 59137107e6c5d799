"""Answers worth keeping for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

MOST = 2000


class Memory(Generic[Answer]):
    """Keeps an answer for `keep_s` seconds; however many ask for it at once, it is fetched once."""

    def __init__(self, keep_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._clock = clock
        self._answers: dict[str, tuple[float, Answer]] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def recall(self, key: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        async with self._asking.setdefault(key, asyncio.Lock()):
            kept = self._answers.get(key)
            if kept is not None and self._clock() < kept[0]:
                return kept[1]
            answer = await ask()
            self._make_room()
            self._answers[key] = (self._clock() + self._keep_s, answer)
            return answer

    def forget(self, key: str) -> None:
        self._answers.pop(key, None)

    def _make_room(self) -> None:
        while len(self._answers) >= MOST:
            # Dictionaries keep the order of insertion: the first is the oldest.
            del self._answers[next(iter(self._answers))]
        if len(self._asking) > 2 * MOST:
            self._asking = {key: lock for key, lock in self._asking.items() if lock.locked()}
