"""A lost store comes back: subscriptions from the notifiers' signed addresses, deliveries from the threads' metadata."""

from __future__ import annotations

from typing import Any

from bot import signing
from bot.errors import BotError, CannotPost, Gone, Refused, Rejected, Retryable
from bot.jobs import waits
from bot.jobs.deliver import READY
from bot.jobs.events import session_of
from bot.jobs.parts import Parts
from bot.jobs.watch import REACH_H, Watch
from bot.log import log
from bot.scalingo.models import App, Notifier
from bot.session import SessionKey
from bot.slack.thread import PARENT_EVENT


class Heal:
    def __init__(self, parts: Parts, watch: Watch) -> None:
        self._ = parts
        self._watch = watch
        self._not_before: dict[str, float] = {}

    async def subscriptions(self) -> None:
        """Once in a store's life, in every region; asked again where a region could not be reached."""
        parts = self._
        if parts.settings.webhook_root is None:
            return
        for region in await parts.scalingo.region_names():
            if await parts.store.mark(f"healed/{region}") is None and parts.now >= self._not_before.get(region, 0.0):
                await self._region(region)

    async def _region(self, region: str) -> None:
        """One that does not answer, or does not know our account, stands in the way of no other."""
        parts = self._
        found = 0
        try:
            for app in await parts.scalingo.in_background().apps(region):
                found += await self._app(region, app)
        except BotError as error:
            again_s = waits.MINUTE_S if isinstance(error, Retryable) else waits.HOUR_S
            self._not_before[region] = parts.now + again_s / 2
            log().warning("subscriptions not looked for", region=region, error=type(error).__name__)
            return
        await parts.store.set_mark(f"healed/{region}", str(found), parts.now)
        log().info("subscriptions looked for", region=region, found=found)

    async def _app(self, region: str, app: App) -> int:
        """How many it has. One app whose notifiers we may not see stands in the way of no other."""
        parts = self._
        try:
            notifiers = await parts.scalingo.in_background().notifiers(region, app.name)
        except (Gone, Refused, Rejected) as error:
            log().info("no subscriptions looked for", region=region, app=app.id, error=type(error).__name__)
            return 0
        channels = [each for notifier in notifiers for each in self._channels(notifier, region, app.id)]
        if channels:
            await self._subscribed(region, app, channels)
        return len(channels)

    async def _subscribed(self, region: str, app: App, channels: list[tuple[str, str, int]]) -> None:
        """What is in the threads is known before anything is owed; what ran since is owed, whoever has heard of it meanwhile."""
        parts = self._
        for channel, _, _ in channels:
            await self.channel_once(channel)
        events = await parts.scalingo.in_background().run_events_of_last_hours(region, app.name, REACH_H)
        sessions = [session_of(event, region, app.name) for event in reversed(events) if event.app_id == app.id]
        first = min(since for _, _, since in channels)
        for session in sessions:
            if session.started_at.timestamp() < first:
                await parts.store.add_session(session, parts.now)
        for channel, user, since in channels:
            await parts.store.subscribe(region, app.id, app_name=app.name, channel=channel, user=user, now=float(since))
        for session in sessions:
            if session.started_at.timestamp() >= first:
                await self._watch.owe(session, earlier_s=0.0)

    def _channels(self, notifier: Notifier, region: str, app_id: str) -> list[tuple[str, str, int]]:
        """What the address says, where we signed it; none for a notifier that is not ours."""
        root = str(self._.settings.webhook_root)
        if not notifier.webhook_url.startswith(root):
            return []
        try:
            named_region, named_app, channels = signing.unseal(
                self._.webhook_key, notifier.webhook_url.removeprefix(root)
            )
        except Refused:
            log().warning(
                "a notifier of ours is not signed by us: subscribe its channels again", region=region, app=app_id
            )
            return []
        return [tuple(each) for each in channels] if (named_region, named_app) == (region, app_id) else []

    async def channel_once(self, channel: str) -> None:
        """Before anything is posted in a channel for the first time in a store's life: what of ours is there already?"""
        parts = self._
        if await parts.store.mark(f"channel/{channel}") is not None:
            return
        try:
            found = await self._channel(channel)
        except CannotPost:
            # Where we are not, nothing of ours can be posted twice; looked at again when we are.
            return
        await parts.store.set_mark(f"channel/{channel}", str(found), parts.now)

    async def _channel(self, channel: str) -> int:
        parts = self._
        us = await parts.slack.identity()
        found = 0
        async for message in parts.slack.history(channel, oldest=parts.now - waits.KEPT_S):
            key = _key(message)
            if key is None or not us.wrote(message):
                continue
            session, generation = key
            whole = _is_whole(message, us.bot_user_id, _REPLIES[parts.settings.content_for(session.region)])
            adopted = await parts.store.adopt_delivery(
                session,
                channel,
                now=parts.now,
                generation=generation,
                # What is not whole is owed: whatever is in the thread is found before anything is added.
                done=whole,
                asked_by=str(message["metadata"]["event_payload"].get("asked_by", "")),
                expires_at=parts.now + waits.KEPT_S,
                parent_ts=str(message["ts"]),
                parent_tried=True,
                commands_tried=True,
                file_tried=True,
            )
            found += 1
            if adopted is not None and not whole:
                await parts.put_delivery(adopted.id)
        return found


# How many replies a finished thread has, by what may leave for Slack.
_REPLIES = {"full": 2, "commands": 1, "metadata": 0}


def _is_whole(message: dict[str, Any], bot_user: str, replies: int) -> bool:
    """Whether a thread can be told to have all that it is to have, without reading it: people's replies count as well."""
    posted = message["metadata"]["event_payload"].get("posted") == READY
    only_ours = set(message.get("reply_users") or ()) <= {bot_user}
    return posted and only_ours and int(message.get("reply_count") or 0) >= replies


def _key(message: dict[str, Any]) -> tuple[SessionKey, int] | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != PARENT_EVENT:
        return None
    text, _, generation = str((metadata.get("event_payload") or {}).get("key", "")).partition("#")
    parts = text.split("/")
    return (SessionKey(*parts), int(generation or 0)) if len(parts) == 3 else None
