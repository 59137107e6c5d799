"""Subscriptions: which channels get an app's sessions, and the one notifier that hints at them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot import signing
from bot.errors import BadInput, BotError, CannotPost, Gone, NotYours, SharedChannel
from bot.jobs import waits
from bot.jobs.notices import READDRESS, Notices
from bot.jobs.parts import Parts
from bot.jobs.watch import Watch
from bot.log import log
from bot.scalingo.models import App, Notifier
from bot.slack import blocks
from bot.slack.message import Message
from bot.store import Subscription

NOTIFIER_NAME = "Audit logs to Slack"
COUNTED = timedelta(days=7)
_COUNTED_AT_MOST = 2000


@dataclass(frozen=True, slots=True)
class Completeness:
    """What the API lists of the last week since the app was subscribed to, and what came of it."""

    run_events: int
    read: int
    without_log: int
    owed: int


class Follow:
    def __init__(self, parts: Parts, watch: Watch) -> None:
        self._ = parts
        self._watch = watch
        self._notices = Notices(parts)

    async def subscribe(self, region: str, app: App, channel: str, user: str, asked_at: float) -> Message:
        """What began after `asked_at` is for the channel, however late this comes. Raises SharedChannel in one of several companies."""
        parts = self._
        in_channel = await self._is_in(channel)
        await self._watch.baseline(region, app.id, app.name, asked_at)
        new = await parts.store.subscribe(region, app.id, app_name=app.name, channel=channel, user=user, now=asked_at)
        webhook = await self._notifier_said(region, app.id)
        log().info("subscribed", region=region, app=app.id, channel=channel, new=new, webhook=webhook)
        return blocks.subscribed(
            app.name, new=new, webhook=webhook, in_channel=in_channel, every_s=parts.settings.poll_every_s
        )

    async def _is_in(self, channel: str) -> bool:
        try:
            where = await self._.slack.channel(channel)
        except CannotPost:
            return False
        if where.is_shared:
            raise SharedChannel
        return where.is_member

    async def _is_shared(self, channel: str) -> bool:
        """Then its subscriptions end with the next session; no number of them is said there meanwhile."""
        try:
            await self._is_in(channel)
        except SharedChannel:
            return True
        return False

    async def _notifier_said(self, region: str, app_id: str) -> str:
        """Empty where the webhook works; else why it does not. Polling finds the sessions all the same."""
        try:
            notifier = await self._readdress(region, app_id)
            if notifier is None:
                return blocks.NO_PUBLIC_URL
            await self._.scalingo.test_notifier(region, await self._name(region, app_id), notifier.id)
        except BotError as error:
            return str(error)
        return ""

    async def unsubscribe(self, region: str, name: str, channel: str, user: str) -> Message:
        parts = self._
        subscription = await self._subscription(region, name, channel)
        if subscription is None or subscription.user != user:
            # Of any name, and first: what is answered must not tell a stranger whether there is such an app.
            await parts.access.app_for(user, region, name)
        if subscription is None:
            raise BadInput(f"This channel is not subscribed to `{name}`: `/auditlog subscriptions` lists what it gets.")
        # First, for the notifier must not outlive the last subscription, whatever happens here.
        await parts.store.set_mark(f"{READDRESS}{region}/{subscription.app_id}", "owed", parts.now)
        await parts.store.unsubscribe(region, subscription.app_id, channel, parts.now)
        with contextlib.suppress(BotError):
            await self._readdress(region, subscription.app_id)
        return blocks.unsubscribed(subscription.app_name)

    async def _subscription(self, region: str, name: str, channel: str) -> Subscription | None:
        subscriptions = await self._.store.subscriptions(channel=channel)
        return next((each for each in subscriptions if each.region == region and each.app_name == name), None)

    # --- the notifier

    async def notifiers(self) -> None:
        """What is owed first; then a few of those that nobody has looked at for an hour, not all at once.

        Somebody may have edited or removed one; polling finds what the hints miss meanwhile.
        """
        parts = self._
        for key in await parts.store.marks_like(READDRESS):
            if await parts.store.take_turn(f"turn/{key}", parts.now, 2 * waits.MINUTE_S):
                await self._checked(*key.removeprefix(READDRESS).split("/", 1))
        followed = sorted({(each.region, each.app_id) for each in await parts.store.subscriptions()})
        left = max(2, len(followed) // 30)
        for region, app_id in followed:
            if left and await parts.store.take_turn(_turn(region, app_id), parts.now, waits.HOUR_S):
                left -= 1
                await self._checked(region, app_id)

    async def _checked(self, region: str, app_id: str) -> None:
        try:
            await self._readdress(region, app_id)
        except BotError as error:
            log().warning("notifier not checked", region=region, app=app_id, error=type(error).__name__)

    async def _readdress(self, region: str, app_id: str) -> Notifier | None:
        parts = self._
        await parts.store.take_turn(_turn(region, app_id), parts.now, 0.0)
        await parts.store.set_mark(f"{READDRESS}{region}/{app_id}", "owed", parts.now)
        try:
            notifier = await self.ensure_notifier(region, app_id)
        except Gone:
            # With the app its notifier went.
            notifier = None
        await parts.store.set_mark(f"{READDRESS}{region}/{app_id}", "", parts.now)
        return notifier

    async def ensure_notifier(self, region: str, app_id: str) -> Notifier | None:
        """One notifier an app, found again rather than made twice, as we want it; none without subscriptions or address."""
        parts = self._
        if parts.settings.webhook_root is None:
            return None
        name = await self._name(region, app_id)
        ours = await self._ours(region, name)
        wanted = await self._address(region, app_id)
        for surplus in ours[1:] if wanted else ours:
            await parts.scalingo.remove_notifier(region, name, surplus.id)
        if wanted is None:
            return None
        if not ours:
            return await self._added(region, name, wanted)
        notifier = ours[0]
        event_type = await parts.scalingo.run_event_type_id(region)
        as_wanted = (
            notifier.webhook_url == wanted
            and notifier.active
            and not notifier.send_all_events
            and list(notifier.selected_event_ids) == [event_type]
        )
        if as_wanted:
            return notifier
        await parts.scalingo.update_notifier(region, name, notifier.id, webhook_url=wanted)
        return notifier

    async def _added(self, region: str, name: str, wanted: str) -> Notifier:
        try:
            return await self._.scalingo.add_notifier(region, name, name=NOTIFIER_NAME, webhook_url=wanted)
        except BotError:
            # The answer may have been lost after the notifier was made.
            found = await self._ours(region, name)
            if not found:
                raise
            return found[0]

    async def _ours(self, region: str, name: str) -> list[Notifier]:
        root = str(self._.settings.webhook_root)
        return [each for each in await self._.scalingo.notifiers(region, name) if each.webhook_url.startswith(root)]

    async def _address(self, region: str, app_id: str) -> str | None:
        """It names the channels and is signed: with an empty store it is believed, and the subscriptions are there again."""
        subscriptions = await self._.store.subscriptions(app=(region, app_id))
        if not subscriptions:
            return None
        channels = sorted([each.channel, each.user, int(each.since)] for each in subscriptions)
        sealed = signing.seal(self._.webhook_key, [region, app_id, channels])
        return f"{self._.settings.webhook_root}{sealed}"

    async def _name(self, region: str, app_id: str) -> str:
        app = await self._.store.app(region, app_id)
        if app is None:
            raise Gone("That app is not followed any more.")
        return await self._.names.present(region, app_id, app.name, self._.now)

    # --- what was seen of what there was

    async def overview(self, channel: str, user: str) -> Message:
        """Of apps whose sessions this person may not read, that there are some."""
        subscriptions = await self._.store.subscriptions(channel=channel)
        seen = [each for each in subscriptions if each.user == user or await self._may_read(each, user)]
        counted = [(each, await self._counted(each)) for each in seen]
        return blocks.subscriptions(counted, hidden=len(subscriptions) - len(seen))

    async def _may_read(self, subscription: Subscription, user: str) -> bool:
        try:
            await self._.access.app_for(user, subscription.region, subscription.app_name)
        except NotYours:
            return False
        return True

    async def _counted(self, subscription: Subscription) -> Completeness | None:
        """None where Scalingo can't be asked now."""
        try:
            return await self.completeness(subscription)
        except BotError:
            return None

    async def completeness(self, subscription: Subscription) -> Completeness:
        parts = self._
        since = max(datetime.fromtimestamp(subscription.since, UTC), datetime.fromtimestamp(parts.now, UTC) - COUNTED)
        ids: list[str] = []
        async for event in parts.scalingo.run_events(subscription.region, subscription.app_name, since=since):
            if event.app_id == subscription.app_id:
                ids.append(event.id)
            if len(ids) >= _COUNTED_AT_MOST:
                break
        states = await parts.store.session_states(subscription.region, subscription.app_id, ids)
        read = sum(state == "read" for state in states.values())
        without_log = sum(state == "no_log" for state in states.values())
        return Completeness(len(ids), read, without_log, len(ids) - read - without_log)

    async def weekly(self) -> None:
        """Each channel hears once a week what it got of what there was."""
        parts = self._
        week = datetime.fromtimestamp(parts.now, UTC).strftime("%G-W%V")
        for channel in sorted({each.channel for each in await parts.store.subscriptions()}):
            subscriptions = await parts.store.subscriptions(channel=channel)
            if all(parts.now - each.since < COUNTED.total_seconds() for each in subscriptions):
                continue
            if not await self._notices.is_known(channel, f"weekly/{week}") and not await self._is_shared(channel):
                lines = [(each, await self._counted(each)) for each in subscriptions]
                await self._notices.owe(channel, f"weekly/{week}", blocks.weekly(lines))


def _turn(region: str, app_id: str) -> str:
    return f"notifier/{region}/{app_id}"
