"""Apps by their id, as they are called now, and when their events are read next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, select, update

from bot.store.database import Database, columns, into
from bot.store.schema import apps, subscriptions


@dataclass(frozen=True, slots=True)
class App:
    """`cursor_at` is how far its events are known; `failing_since` is None while reading them works."""

    region: str
    app_id: str
    name: str
    notifier_id: str
    next_poll_at: float
    polled_at: float | None
    cursor_at: float | None
    failing_since: float | None
    error: str


def is_app(region: str, app_id: str) -> ColumnElement[bool]:
    return and_(apps.c.region == region, apps.c.app_id == app_id)


_followed = exists().where(
    subscriptions.c.region == apps.c.region,
    subscriptions.c.app_id == apps.c.app_id,
    subscriptions.c.stopped_at.is_(None),
)


class Apps(Database):
    async def upsert_app(self, region: str, app_id: str, name: str) -> None:
        insert = self._insert(apps).values(region=region, app_id=app_id, name=name)
        async with self._writing() as connection:
            await connection.execute(
                insert.on_conflict_do_update(index_elements=["region", "app_id"], set_={"name": name})
            )

    async def app(self, region: str, app_id: str) -> App | None:
        async with self._reading() as connection:
            found = await connection.execute(select(*columns(apps, App)).where(is_app(region, app_id)))
            return into(App, found.mappings().one_or_none())

    async def set_notifier(self, region: str, app_id: str, notifier_id: str) -> None:
        """Empty: it has none (any more)."""
        async with self._writing() as connection:
            await connection.execute(update(apps).where(is_app(region, app_id)).values(notifier_id=notifier_id))

    async def followed_apps(self) -> list[App]:
        """Those that a channel subscribed to."""
        return await self._apps(_followed)

    async def due_apps(self, now: float) -> list[App]:
        """The followed ones whose events are to be read by now, the longest overdue first."""
        return await self._apps(_followed & (apps.c.next_poll_at <= now))

    async def _apps(self, condition: ColumnElement[bool]) -> list[App]:
        query = select(*columns(apps, App)).where(condition).order_by(apps.c.next_poll_at, apps.c.region, apps.c.app_id)
        async with self._reading() as connection:
            return [App(**row) for row in (await connection.execute(query)).mappings()]

    async def claim_poll(self, region: str, app_id: str, now: float, next_poll_at: float) -> bool:
        """True for one process only: the events are its to read, and everybody else's again from `next_poll_at` on."""
        async with self._writing() as connection:
            claimed = await connection.execute(
                update(apps)
                .where(is_app(region, app_id), apps.c.next_poll_at <= now)
                .values(next_poll_at=next_poll_at)
                .returning(apps.c.app_id)
            )
            return claimed.one_or_none() is not None

    async def poll_soon(self, region: str, app_id: str, now: float) -> None:
        """A webhook hinted at an event: what was due later is due now."""
        async with self._writing() as connection:
            await connection.execute(
                update(apps).where(is_app(region, app_id), apps.c.next_poll_at > now).values(next_poll_at=now)
            )

    async def poll_done(
        self, region: str, app_id: str, now: float, *, cursor_at: float | None = None, error: str = ""
    ) -> None:
        """`cursor_at` is kept where it is further than before; `failing_since` is when the errors in a row began."""
        outcome: dict[str, Any]
        if error:
            outcome = {"error": error, "failing_since": func.coalesce(apps.c.failing_since, now)}
        else:
            outcome = {"error": "", "failing_since": None, "polled_at": now}
        if cursor_at is not None:
            behind = apps.c.cursor_at.is_(None) | (apps.c.cursor_at < cursor_at)
            outcome["cursor_at"] = case((behind, cursor_at), else_=apps.c.cursor_at)
        async with self._writing() as connection:
            await connection.execute(update(apps).where(is_app(region, app_id)).values(**outcome))
