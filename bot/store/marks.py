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

    async def marks_like(self, prefix: str) -> dict[str, str]:
        """Those whose keys begin so and whose values are not empty."""
        query = select(marks.c.key, marks.c.value).where(
            marks.c.key.startswith(prefix, autoescape=True), marks.c.value != ""
        )
        async with self._reading() as connection:
            return {row.key: row.value for row in await connection.execute(query)}

    async def take_turn(self, key: str, now: float, every_s: float) -> bool:
        """True for one only, of however many processes, and for nobody again before `every_s` have passed."""
        insert = self._insert(marks).values(key=key, value="", at=now)
        taken = insert.on_conflict_do_update(
            index_elements=["key"], set_={"at": now}, where=marks.c.at <= now - every_s
        ).returning(marks.c.key)
        async with self._writing() as connection:
            return (await connection.execute(taken)).one_or_none() is not None

    async def set_mark_once(self, key: str, now: float, value: str = "") -> bool:
        """True for the first one only, of however many processes: what it marks is his to do."""
        insert = self._insert(marks).values(key=key, value=value, at=now).on_conflict_do_nothing()
        async with self._writing() as connection:
            return (await connection.execute(insert.returning(marks.c.key))).one_or_none() is not None
