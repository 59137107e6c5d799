"""Which channel gets the sessions of which app, since when, and on whose word."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select, update

from bot.store.apps import Apps
from bot.store.schema import apps, subscriptions


@dataclass(frozen=True, slots=True)
class Subscription:
    """`user` subscribed it, and must keep the right to; sessions from before `since` are not for this channel."""

    region: str
    app_id: str
    app_name: str
    channel: str
    user: str
    since: float


def _is(region: str, app_id: str, channel: str) -> ColumnElement[bool]:
    return and_(subscriptions.c.region == region, subscriptions.c.app_id == app_id, subscriptions.c.channel == channel)


class Subscriptions(Apps):
    async def subscribe(self, region: str, app_id: str, *, app_name: str, channel: str, user: str, now: float) -> bool:
        """False where the channel had it already: it stays as it was."""
        await self.upsert_app(region, app_id, app_name)
        insert = self._insert(subscriptions).values(region=region, app_id=app_id, channel=channel, user=user, since=now)
        again = insert.on_conflict_do_update(
            index_elements=["region", "app_id", "channel"],
            set_={"user": user, "since": now, "stopped_at": None, "reason": ""},
            where=subscriptions.c.stopped_at.is_not(None),
        )
        async with self._writing() as connection:
            return (await connection.execute(again.returning(subscriptions.c.channel))).one_or_none() is not None

    async def unsubscribe(self, region: str, app_id: str, channel: str, now: float) -> bool:
        """False where there was none."""
        return await self.stop_subscription(region, app_id, channel, "unsubscribed", now)

    async def stop_subscription(self, region: str, app_id: str, channel: str, reason: str, now: float) -> bool:
        """False where there was none, so that only one of several processes says so in the channel."""
        async with self._writing() as connection:
            stopped = await connection.execute(
                update(subscriptions)
                .where(_is(region, app_id, channel), subscriptions.c.stopped_at.is_(None))
                .values(stopped_at=now, reason=reason)
                .returning(subscriptions.c.channel)
            )
            return stopped.one_or_none() is not None

    async def subscriptions(
        self, *, channel: str | None = None, app: tuple[str, str] | None = None
    ) -> list[Subscription]:
        """All that are not stopped; of one channel, of one app (its region and id), or both. By name."""
        query = (
            select(
                subscriptions.c.region,
                subscriptions.c.app_id,
                apps.c.name.label("app_name"),
                subscriptions.c.channel,
                subscriptions.c.user,
                subscriptions.c.since,
            )
            .join(apps, and_(apps.c.region == subscriptions.c.region, apps.c.app_id == subscriptions.c.app_id))
            .where(subscriptions.c.stopped_at.is_(None))
            .order_by(apps.c.name, subscriptions.c.region, subscriptions.c.channel)
        )
        if channel is not None:
            query = query.where(subscriptions.c.channel == channel)
        if app is not None:
            region, app_id = app
            query = query.where(subscriptions.c.region == region, subscriptions.c.app_id == app_id)
        async with self._reading() as connection:
            return [Subscription(**row) for row in (await connection.execute(query)).mappings()]
