"""Slack takes about one message a second in a channel, and short bursts."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

# A little more than the second: on their way two messages may come closer together, and a 429 costs more than that.
EVERY_S = 1.05
BURST = 4


class Pace:
    """Whoever wants to post waits for his turn, first come first served; a channel never waits for another one."""

    def __init__(
        self,
        *,
        every_s: float = EVERY_S,
        burst: int = BURST,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._every_s = every_s
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._due: dict[str, float] = {}
        self._spent: set[str] = set()

    @asynccontextmanager
    async def turn(self, channel: str) -> AsyncIterator[None]:
        """Held while the message is sent: a 429 that is waited out inside delays the others of the channel as well."""
        async with self._locks[channel]:
            now = self._clock()
            # Turns that were not used are good for a burst, up to its size.
            due = max(self._due.get(channel, 0.0), now - (self._burst - 1) * self._every_s)
            self._due[channel] = due + self._every_s
            if due > now:
                await self._sleep(due - now)
            try:
                yield
            finally:
                if channel in self._spent:
                    self._spent.discard(channel)
                    self._due[channel] = self._clock() + self._every_s

    def slow_down(self, channel: str) -> None:
        """Slack said 429 in this turn: what we took for the rest of a burst is not there."""
        self._spent.add(channel)
