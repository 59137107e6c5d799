"""Two ways in, one truth: a webhook hints, polling reads; what Scalingo lists of an app's run events is what counts."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from datetime import UTC, datetime

from bot.errors import BotError, Gone, Unreachable
from bot.jobs import waits
from bot.jobs.events import session_of
from bot.jobs.notices import GONE, Notices
from bot.jobs.parts import DELIVER, HINT, POLL, Parts
from bot.log import log
from bot.readings import Reading
from bot.scalingo.models import RunEvent
from bot.session import Session, SessionKey
from bot.store.apps import App
from bot.store.deliveries import Delivery
from bot.store.sessions import KnownSession
from bot.store.subscriptions import Subscription

# `?from=` reaches this far; further back there are pages.
REACH_H = 72
# An event may be listed late, or under a time before one that was listed already: each hour everything in reach is read again.
DEEP_EVERY_S = waits.HOUR_S
# Of the allowed requests, what polling may use: a dozen idle subscriptions cost at most 20 of 60 a minute.
POLLING_SHARE = 1 / 3
# A session that began this long before a subscription is new to it all the same: clocks differ, and events come late.
EARLIER_S = 10 * waits.MINUTE_S
# A hint may come before its event is listed.
_HINT_WAITS_S = (1.0, 4.0, 15.0)
# Hints of one app that come within this time share one reading of its events.
_HINTS_TOGETHER_S = 1.0
_RECHECK_WAITS_S = (5 * waits.MINUTE_S, 15 * waits.MINUTE_S, waits.HOUR_S, 3 * waits.HOUR_S, 12 * waits.HOUR_S)


class Watch:
    def __init__(self, parts: Parts) -> None:
        self._ = parts
        self._one_reading: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._read_at: dict[tuple[str, str], float] = {}
        self._notices = Notices(parts)

    # --- polling

    async def due(self) -> None:
        """Every app whose turn it is: its events are read by one process, once."""
        parts = self._
        due = await parts.store.due_apps(parts.now)
        followed = len(await parts.store.followed_apps()) if due else 0
        for app in due:
            if await parts.store.claim_poll(app.region, app.app_id, parts.now, parts.now + self.every_s(followed)):
                await parts.queue.put(POLL, f"{app.region}/{app.app_id}")

    async def turn(self, key: str) -> None:
        """`key`: region and app id."""
        region, app_id = key.split("/", 1)
        app = await self._.store.app(region, app_id)
        if app is not None:
            await self.poll(app)

    def every_s(self, followed: int) -> float:
        """With many apps each is read less often, for they share the rate limit."""
        settings = self._.settings
        return max(settings.poll_every_s, followed * 60 / (settings.scalingo_rate_limit * POLLING_SHARE))

    async def poll(self, app: App) -> None:
        try:
            events = await self._events(app)
        except Gone as error:
            await self._.store.poll_done(app.region, app.app_id, self._.now, error=type(error).__name__)
            # A single 404 may be a hiccup of Scalingo's; two, a whole round apart, are not.
            if app.error == type(error).__name__:
                await self._gone(app)
        except BotError as error:
            await self._.store.poll_done(app.region, app.app_id, self._.now, error=type(error).__name__)
            log().warning("events not read", region=app.region, app=app.app_id, error=type(error).__name__)
        else:
            for event in reversed(events):
                await self.hear(app.region, app.app_id, app.name, event)
            newest = max((event.created_at.timestamp() for event in events), default=None)
            await self._.store.poll_done(app.region, app.app_id, self._.now, cursor_at=newest)

    async def _events(self, app: App) -> list[RunEvent]:
        """Newest first. Raises Gone where the app is not to be found under any name."""
        parts = self._
        name = await parts.names.present(app.region, app.app_id, app.name, parts.now)
        try:
            events = await self._listed(app, name)
            mistaken = any(event.app_id != app.app_id for event in events)
        except Gone:
            events, mistaken = [], True
        if mistaken:
            # It was renamed, and another app may have its old name already.
            parts.names.doubt(app.region, app.app_id)
            name = await parts.names.present(app.region, app.app_id, app.name, parts.now)
            try:
                events = await self._listed(app, name)
            except Gone:
                raise Unreachable("Scalingo shows the app, and not its events.") from None
        if name != app.name:
            await parts.store.upsert_app(app.region, app.app_id, name)
            log().info("app renamed", region=app.region, app=app.app_id, name=name)
        return [event for event in events if event.app_id == app.app_id]

    async def _listed(self, app: App, name: str) -> list[RunEvent]:
        """Of the time since the last reading and, each hour, of all that one request reaches; beyond that by pages."""
        parts = self._
        scalingo = parts.scalingo.in_background()
        away_h = math.inf if app.polled_at is None else (parts.now - app.polled_at) / waits.HOUR_S
        if app.polled_at is not None and away_h > REACH_H - 1:
            since = datetime.fromtimestamp(app.polled_at - waits.HOUR_S, UTC)
            return [event async for event in scalingo.run_events(app.region, name, since=since)]
        deep = await parts.store.take_turn(f"deep/{app.region}/{app.app_id}", parts.now, DEEP_EVERY_S)
        hours = REACH_H if deep or app.polled_at is None else math.ceil(away_h) + 1
        return await scalingo.run_events_of_last_hours(app.region, name, min(REACH_H, hours))

    async def _gone(self, app: App) -> None:
        """Deleted, or given to somebody whose apps we do not see."""
        parts = self._
        log().warning("app is gone", region=app.region, app=app.app_id)
        for each in await parts.store.subscriptions(app=(app.region, app.app_id)):
            await self._notices.end_subscription(each, GONE)

    # --- what is heard

    async def baseline(self, region: str, app_id: str, name: str, until: float) -> None:
        """What began before `until` is new to nobody who subscribes now; who had subscribed before gets it.

        Of what is older than the clocks' difference, nobody who subscribes now gets anything anyway.
        """
        began = until - EARLIER_S - waits.MINUTE_S
        hours = math.ceil((self._.now - began) / waits.HOUR_S)
        for event in reversed(await self._.scalingo.run_events_of_last_hours(region, name, min(REACH_H, hours))):
            if event.app_id == app_id and began <= event.created_at.timestamp() < until:
                await self.hear(region, app_id, name, event)

    async def hear(self, region: str, app_id: str, name: str, event: RunEvent) -> Session:
        """A run event as the API lists it: owed to the subscribed channels where it is new, looked at again where it is not."""
        session = session_of(event, region, name)
        known = await self._.store.session(session.key)
        if known is None:
            await self.owe(session)
        else:
            await self._learn(known, session)
        return session

    async def owe(self, session: Session, *, earlier_s: float = EARLIER_S) -> None:
        """A delivery for each channel that subscribed before it began, and only then the session is known."""
        parts, key = self._, session.key
        subscribed = [
            each
            for each in await parts.store.subscriptions(app=(key.region, key.app_id))
            if session.started_at.timestamp() >= each.since - earlier_s
        ]
        owed = [await self._owed(session, each) for each in subscribed]
        if await parts.store.add_session(session, parts.now):
            parts.metrics.seen.inc()
            log().info("session seen", session=str(key), channels=len(owed))
            if any(each.state == "done" for each in await parts.store.deliveries_of(key)):
                # Found in its thread, by a store that was empty.
                await parts.store.update_session(key, state="read")
        for delivery in owed:
            if delivery is not None:
                await parts.queue.put(DELIVER, str(delivery.id))

    async def _owed(self, session: Session, subscription: Subscription) -> Delivery | None:
        now = self._.now
        return await self._.store.add_delivery(
            session.key,
            subscription.channel,
            cause="subscription",
            asked_by=subscription.user,
            ask_id=None,
            now=now,
            expires_at=now + waits.KEPT_S,
        )

    async def _learn(self, known: KnownSession, session: Session) -> None:
        """The event may say by now what it did not say before; a log that has grown since it was read is read again."""
        before = known.session
        if session.audit_log_id and (
            session.audit_log_id != before.audit_log_id or session.audit_log_size != before.audit_log_size
        ):
            await self._.store.update_session(
                session.key, audit_log_id=session.audit_log_id, audit_log_size=session.audit_log_size
            )
            if known.state == "read":
                await self._.store.update_session(session.key, recheck_at=self._.now, rechecks=0)
            for delivery in await self._.store.hurry_deliveries(session.key, self._.now):
                await self._.put_delivery(delivery)

    # --- hints

    async def hint(self, key: str) -> None:
        """`key`: region, app id, event id and how often it was looked for. Only what the API lists is believed."""
        parts = self._
        came_at = time.monotonic()
        region, app_id, event_id, tried = key.rsplit("/", 3)
        app = await parts.store.app(region, app_id)
        if app is None or await self._knows(region, app_id, event_id):
            return
        await self._read_since(app, came_at)
        if int(tried) < len(_HINT_WAITS_S) and not await self._knows(region, app_id, event_id):
            wait = _HINT_WAITS_S[int(tried)]
            await parts.queue.put(HINT, f"{region}/{app_id}/{event_id}/{int(tried) + 1}", delay_s=wait)

    async def _read_since(self, app: App, came_at: float) -> None:
        """However many hints come at once, the events are read once for all who came before that began."""
        which = (app.region, app.app_id)
        async with self._one_reading[which]:
            read_at = self._read_at.get(which, -math.inf)
            if read_at > came_at:
                return
            await asyncio.sleep(read_at + _HINTS_TOGETHER_S - time.monotonic())
            self._read_at[which] = time.monotonic()
            await self.poll(app)

    async def _knows(self, region: str, app_id: str, event_id: str) -> bool:
        return await self._.store.session(SessionKey(region, app_id, event_id)) is not None

    # --- logs that have grown

    async def recheck(self) -> None:
        """A session that may not have ended is read again, at growing intervals, until nothing more comes."""
        parts = self._
        for known in await parts.store.sessions_to_recheck(parts.now):
            wait = _RECHECK_WAITS_S[min(known.rechecks, len(_RECHECK_WAITS_S) - 1)]
            last = known.rechecks >= len(_RECHECK_WAITS_S)
            await parts.store.update_session(
                known.session.key, recheck_at=None if last else parts.now + wait, rechecks=known.rechecks + 1
            )
            try:
                await self._read_again(known)
            except BotError as error:
                log().info("log not read again", session=str(known.session.key), error=type(error).__name__)

    async def _read_again(self, known: KnownSession) -> None:
        parts, session = self._, known.session
        parts.readings.forget(session)
        async with parts.readings.of(session, background=True) as reading:
            if reading.log_bytes == known.read_size:
                return
            await self._grown(session, reading)

    async def _grown(self, session: Session, reading: Reading) -> None:
        parts = self._
        log().info("log has grown", session=str(session.key))
        for delivery in await parts.store.deliveries_of(session.key):
            if await parts.store.reopen_delivery(delivery.id, parts.now, parts.now + waits.KEPT_S):
                await parts.put_delivery(delivery.id)
        # Last: whoever is killed before finds again that it has grown.
        await parts.store.update_session(session.key, read_size=reading.log_bytes)
