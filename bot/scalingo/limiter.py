"""How often Scalingo may be asked: 60 requests a minute and account, shared by everything that the bot does."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

# A second more than the minute that Scalingo counts: two requests may need unequal times to get there.
WINDOW_S = 61.0
# Polling and the like go only while more than this part of the window is free, so that a command never finds it full.
KEPT_FOR_COMMANDS = 1 / 3
# How soon a background request looks again whether the commands that were waiting have gone.
_STEP_ASIDE_S = 0.05


class Limiter(Protocol):
    async def acquire(self, *, background: bool) -> None:
        """Returns when one request may be sent; it counts from then on."""

    async def pause(self, seconds: float) -> None:
        """Scalingo answered 429: nobody sends for that long."""


class SlidingLimiter:
    """The limit of one process: an exact log of when the requests of the last window were sent."""

    def __init__(
        self, limit_per_minute: int, *, window_s: float = WINDOW_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit_per_minute
        self._window_s = window_s
        self._clock = clock
        self._sent: deque[float] = deque()
        self._paused_until = float("-inf")
        self._commands_waiting = 0
        # First come, first served, each in its own queue.
        self._commands, self._others = asyncio.Lock(), asyncio.Lock()

    async def acquire(self, *, background: bool) -> None:
        if background:
            await self._turn(self._others, self._background_wait_s)
            return
        self._commands_waiting += 1
        try:
            await self._turn(self._commands, self._command_wait_s)
        finally:
            self._commands_waiting -= 1

    async def _turn(self, queue: asyncio.Lock, wait_s: Callable[[], float]) -> None:
        async with queue:
            while True:
                seconds = wait_s()
                if seconds <= 0:
                    break
                await asyncio.sleep(seconds)
            self._sent.append(self._clock())

    async def pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _command_wait_s(self) -> float:
        return self._wait_s(self._limit)

    def _background_wait_s(self) -> float:
        wait_s = self._wait_s(self._limit - int(self._limit * KEPT_FOR_COMMANDS))
        return max(wait_s, _STEP_ASIDE_S) if self._commands_waiting else wait_s

    def _wait_s(self, limit: int) -> float:
        """Seconds until fewer than `limit` requests lie in the window and no pause is on."""
        now = self._clock()
        while self._sent and self._sent[0] <= now - self._window_s:
            self._sent.popleft()
        until_free = self._sent[-limit] + self._window_s - now if len(self._sent) >= limit else 0.0
        return max(until_free, self._paused_until - now)
