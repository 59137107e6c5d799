"""Small things to remember across restarts: what was said once, when something was last done."""

from __future__ import annotations

from sqlalchemy import select

from bot.store.database import Database
from bot.store.schema import marks


class Marks(Database):
    async def mark(self, key: str) -> str | None:
        async with self._reading() as connection:
            value: str | None = await connection.scalar(select(marks.c.value).where(marks.c.key == key))
            return value

    async def set_mark(self, key: str, value: str, now: float) -> None:
        insert = self._insert(marks).values(key=key, value=value, at=now)
        async with self._writing() as connection:
            await connection.execute(
                insert.on_conflict_do_update(index_elements=["key"], set_={"value": value, "at": now})
            )

    async def set_mark_once(self, key: str, now: float) -> bool:
        """True for the first one only, of however many processes: what it marks is his to do."""
        insert = self._insert(marks).values(key=key, value="", at=now).on_conflict_do_nothing()
        async with self._writing() as connection:
            return (await connection.execute(insert.returning(marks.c.key))).one_or_none() is not None
