"""When each of the requests that may be sent in a minute was last sent: a row for each, for all processes together."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.schema import marks, rate_slots

_PAUSED_UNTIL = "requests paused until"
# Another process took it at the same moment.
_SOON_S = 0.02


class Slots(Database):
    async def take_slot(self, now: float, *, limit: int, kept: int, window_s: float) -> float:
        """0 where one is taken; else the seconds after which to ask again.

        Of `limit` slots, each may be used once in `window_s`; none is taken while only `kept` are free.
        """
        async with self._writing() as connection:
            await self._fill(connection, limit)
            oldest = select(rate_slots.c.used_at).where(rate_slots.c.slot < limit).order_by(rate_slots.c.used_at)
            free_at: float = (await connection.scalar(oldest.offset(kept).limit(1)) or 0.0) + window_s
            wait_s = max(free_at, await self._paused_until(connection)) - now
            if wait_s > 0:
                # Should a clock have been put back, no wait is for longer than the window.
                return min(wait_s, window_s)
            return 0.0 if await self._take(connection, now, limit, window_s) else _SOON_S

    async def pause_slots(self, until: float, now: float) -> None:
        """Nobody takes one before; a longer pause stays."""
        async with self._writing() as connection:
            if await self._paused_until(connection) < until:
                insert = self._insert(marks).values(key=_PAUSED_UNTIL, value=repr(until), at=now)
                await connection.execute(
                    insert.on_conflict_do_update(index_elements=["key"], set_={"value": repr(until), "at": now})
                )

    async def _fill(self, connection: AsyncConnection, limit: int) -> None:
        last = await connection.scalar(select(rate_slots.c.slot).where(rate_slots.c.slot == limit - 1))
        if last is None:
            rows = [{"slot": slot, "used_at": 0.0} for slot in range(limit)]
            await connection.execute(self._insert(rate_slots).on_conflict_do_nothing(), rows)

    async def _take(self, connection: AsyncConnection, now: float, limit: int, window_s: float) -> bool:
        free = (rate_slots.c.slot < limit) & (rate_slots.c.used_at <= now - window_s)
        # Whoever takes another one at this moment is passed by, not waited for; SQLite has one writer at a time anyway.
        one = select(rate_slots.c.slot).where(free).order_by(rate_slots.c.used_at).limit(1)
        one = one.with_for_update(skip_locked=True)
        taken = await connection.execute(
            update(rate_slots)
            .where(rate_slots.c.slot == one.scalar_subquery())
            .values(used_at=now)
            .returning(rate_slots.c.slot)
        )
        return taken.one_or_none() is not None

    async def _paused_until(self, connection: AsyncConnection) -> float:
        return float(await connection.scalar(select(marks.c.value).where(marks.c.key == _PAUSED_UNTIL)) or 0)
