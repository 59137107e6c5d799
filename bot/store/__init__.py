"""The store: what must survive, in SQLite or PostgreSQL. All SQL is here, one noun a file.

    database        how it is opened, migrated and shared; its failures in our words
    schema          the tables, at one glance
    asks            what a person asked for and was acknowledged
    apps            apps by id, and when their events are read next
    subscriptions   which channel gets the sessions of which app
    sessions        every session heard of, once
    deliveries      a session on its way into a channel, and how far its thread has come
    leases          which asks and deliveries are to be worked on now, and by whom
    trail           who asked for what
    marks           small things to remember
    slots, limiter  the rate limit that all processes share

Whatever was written once is there: a method returns after its commit. Times are handed in, as seconds since the epoch.
Every method raises StoreDown while the database does not answer; it may be called again, for a second time does no harm.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, exists

from bot.store import schema
from bot.store.apps import App
from bot.store.asks import Ask, Asks
from bot.store.deliveries import Deliveries, Delivery, EndState, OpenState
from bot.store.leases import Kind, Leases, Owed
from bot.store.marks import Marks
from bot.store.sessions import KnownSession, Sessions, SessionState
from bot.store.slots import Slots
from bot.store.subscriptions import Subscription, Subscriptions
from bot.store.trail import Step, Trail

__all__ = [
    "App",
    "Ask",
    "Delivery",
    "EndState",
    "Kind",
    "KnownSession",
    "OpenState",
    "Owed",
    "SessionState",
    "Step",
    "Store",
    "Subscription",
]

DAY_S = 86_400.0
KEPT_S = 90 * DAY_S
TRAIL_KEPT_S = 400 * DAY_S


class Store(Asks, Subscriptions, Sessions, Deliveries, Leases, Trail, Marks, Slots):
    """`await Store.open(url)`; `alone` tells whether nobody else had the SQLite file open then."""

    async def _opened(self) -> None:
        if self.alone:
            await self._drop_leases()

    async def forget(self, now: float) -> int:
        """How many rows were old enough to go. What is still owed stays, however old."""
        async with self._writing() as connection:
            return sum(
                [
                    (await connection.execute(delete(table).where(condition))).rowcount
                    for table, condition in _forgettable(now)
                ]
            )


def _forgettable(now: float) -> list[tuple[Table, ColumnElement[Any]]]:
    # By the module: once they are imported, this package's own `asks`, `sessions`, … are the files of those names.
    asks, deliveries, sessions = schema.asks, schema.deliveries, schema.sessions
    old = now - KEPT_S
    posted = exists().where(
        deliveries.c.region == sessions.c.region,
        deliveries.c.app_id == sessions.c.app_id,
        deliveries.c.event_id == sessions.c.event_id,
    )
    # In this order: a session goes when the last of its deliveries has.
    return [
        (asks, asks.c.done_at < old),
        (deliveries, deliveries.c.finished_at < old),
        (sessions, and_(sessions.c.seen_at < old, sessions.c.recheck_at.is_(None), ~posted)),
        (schema.subscriptions, schema.subscriptions.c.stopped_at < old),
        (schema.marks, schema.marks.c.at < now - TRAIL_KEPT_S),
        (schema.trail, schema.trail.c.at < now - TRAIL_KEPT_S),
    ]
