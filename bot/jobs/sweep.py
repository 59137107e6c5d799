"""The clock: whatever the store says is owed is handed to the queue, at start and then again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.errors import BotError
from bot.jobs import waits
from bot.jobs.follow import Follow
from bot.jobs.heal import Heal
from bot.jobs.notices import Notices
from bot.jobs.parts import ANSWER, Parts
from bot.jobs.watch import Watch
from bot.log import log

# A killed process's work is picked up within this and a lease.
SWEEP_EVERY_S = 15.0
TICK_S = 1.0
_AT_ONCE = 500


class Sweep:
    def __init__(self, parts: Parts, watch: Watch, follow: Follow, heal: Heal) -> None:
        self._ = parts
        self._watch = watch
        self._follow = follow
        self._heal = heal
        self._notices = Notices(parts)

    async def owed(self) -> None:
        parts = self._
        for kind, row_id in await parts.store.owed(parts.now, _AT_ONCE):
            if kind == "ask":
                await parts.queue.put(ANSWER, str(row_id))
            else:
                await parts.put_delivery(row_id)

    async def run(self) -> None:
        """Until cancelled. One thing that fails stops none of the others."""
        rounds = (
            (SWEEP_EVERY_S, self.owed),
            (TICK_S, self._watch.due),
            (SWEEP_EVERY_S, self._watch.recheck),
            (waits.MINUTE_S, self._heal.subscriptions),
            (waits.MINUTE_S, self._follow.notifiers),
            (5 * waits.MINUTE_S, self._follow.weekly),
            (SWEEP_EVERY_S, self._notices.pay),
            (waits.HOUR_S, self._forgotten),
        )
        async with asyncio.TaskGroup() as group:
            for every_s, work in rounds:
                group.create_task(self._again_and_again(every_s, work))

    async def _again_and_again(self, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except BotError as error:
                log().warning(
                    "a round was left out", round=getattr(work, "__qualname__", ""), error=type(error).__name__
                )
            except Exception as error:
                log().error("a fault of ours", exc_info=error, round=getattr(work, "__qualname__", ""))
            await asyncio.sleep(every_s)

    async def _forgotten(self) -> None:
        await self._.store.forget(self._.now)
