"""The rate limit of Scalingo's API, shared by all processes on one store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bot.errors import StoreDown
from bot.scalingo.limiter import KEPT_FOR_COMMANDS, WINDOW_S, SlidingLimiter
from bot.store.slots import Slots


class StoreLimiter:
    """A `bot.scalingo.limiter.Limiter`: an exact sliding window. While the store is down, each process has its own."""

    def __init__(
        self,
        store: Slots,
        limit_per_minute: int,
        *,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._limit = limit_per_minute
        self._window_s = window_s
        self._clock = clock
        self._alone = SlidingLimiter(limit_per_minute, window_s=window_s)
        self._commands_waiting = 0
        self._no_command_waits = asyncio.Event()
        self._no_command_waits.set()
        # First come, first served, each in its own queue.
        self._commands, self._others = asyncio.Lock(), asyncio.Lock()

    async def acquire(self, *, background: bool) -> None:
        if background:
            async with self._others:
                await self._no_command_waits.wait()
                await self._take(background=True)
            return
        self._commands_waiting += 1
        self._no_command_waits.clear()
        try:
            async with self._commands:
                await self._take(background=False)
        finally:
            self._commands_waiting -= 1
            if not self._commands_waiting:
                self._no_command_waits.set()

    async def pause(self, seconds: float) -> None:
        await self._alone.pause(seconds)
        now = self._clock()
        try:
            await self._store.pause_slots(now + seconds, now)
        except StoreDown:
            return

    async def _take(self, *, background: bool) -> None:
        kept = int(self._limit * KEPT_FOR_COMMANDS) if background else 0
        try:
            while True:
                wait_s = await self._store.take_slot(
                    self._clock(), limit=self._limit, kept=kept, window_s=self._window_s
                )
                if not wait_s:
                    return
                await asyncio.sleep(wait_s)
        except StoreDown:
            await self._alone.acquire(background=background)
