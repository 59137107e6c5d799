"""Answers what a person asked: a command or a button, acknowledged before and owed since."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from bot import signing
from bot.errors import BotError, CannotPost, Refused, Retryable, SharedChannel
from bot.jobs import waits
from bot.jobs.events import event_with_log, newest_events, session_of
from bot.jobs.follow import Follow
from bot.jobs.heal import Heal
from bot.jobs.parts import ANSWER, Parts
from bot.jobs.watch import Watch
from bot.log import log
from bot.scalingo.models import App, RunEvent
from bot.session import Session, SessionKey
from bot.slack import blocks
from bot.store import Ask, Delivery

# How long Slack takes answers at a `response_url`, with a minute to spare.
ANSWERED_WITHIN_S = 29 * waits.MINUTE_S
SESSIONS_LISTED = 10
_DONE_WITHOUT_ANSWER = {"read_one", "read_last", "read_event", "subscribe", "unsubscribe"}


class Answer:
    def __init__(self, parts: Parts, watch: Watch, follow: Follow, heal: Heal) -> None:
        self._ = parts
        self._watch = watch
        self._follow = follow
        self._heal = heal

    async def __call__(self, key: str) -> None:
        """`key` is an ask's id."""
        async with self._.leased_ask(int(key)) as ask:
            if ask is None:
                return
            try:
                outcome = await self._answer(ask)
            except Exception as error:
                await self._failed(ask, error)
            else:
                if outcome:
                    await self._.store.finish_ask(ask.id, outcome, self._.now)

    async def _answer(self, ask: Ask) -> str:
        """What came of it; empty where the answer is owed by a delivery from now on."""
        answers = {
            "read_one": self._read_one,
            "read_last": self._read_last,
            "read_event": self._read_event,
            "list_sessions": self._list,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "subscriptions": self._subscriptions,
            "forged_button": self._forged_button,
        }
        return await answers[ask.kind](ask, ask.payload)

    # --- sessions

    async def _read_one(self, ask: Ask, asked: Mapping[str, Any]) -> str:
        region, name, audit_log_id = asked["region"], asked["app"], asked["audit_log_id"]
        app = await self._may_read(ask, region, name)
        known = await self._.store.session_by_log(region, app.id, audit_log_id)
        if known is not None:
            return await self._bring(ask, known.session)
        return await self._bring_event(ask, region, app, await event_with_log(self._, region, app, audit_log_id))

    async def _read_last(self, ask: Ask, asked: Mapping[str, Any]) -> str:
        region = asked["region"]
        app = await self._may_read(ask, region, asked["app"])
        events = await newest_events(self._, region, app, 1)
        if not events:
            raise Refused(f"`{app.name}` has had no one-off container yet, so there is no session to show.")
        return await self._bring_event(ask, region, app, events[0])

    async def _read_event(self, ask: Ask, asked: Mapping[str, Any]) -> str:
        """A button's: its value is ours, but the right is of whoever presses."""
        region = asked["region"]
        app = await self._may_read(ask, region, asked["app"])
        key = SessionKey(region, asked["app_id"], asked["event_id"])
        if app.id != key.app_id:
            raise Refused(f"The app `{app.name}` is another one by now: ask again.")
        generation = int(asked.get("generation", 0))
        known = await self._.store.session(key)
        if known is not None:
            return await self._bring(ask, known.session, generation)
        return await self._bring_event(ask, region, app, await self._event(region, app, asked), generation)

    async def _bring_event(self, ask: Ask, region: str, app: App, event: RunEvent, generation: int = 0) -> str:
        await self._heal.channel_once(ask.channel)
        return await self._bring(ask, await self._watch.hear(region, app.id, app.name, event), generation)

    async def _event(self, region: str, app: App, asked: Mapping[str, Any]) -> RunEvent:
        if asked.get("audit_log_id"):
            return await event_with_log(self._, region, app, asked["audit_log_id"])
        for event in await newest_events(self._, region, app, 50):
            if event.id == asked["event_id"]:
                return event
        raise Refused(f"That session of `{app.name}` is not among its newest any more: ask with its audit log id.")

    async def _may_read(self, ask: Ask, region: str, name: str) -> App:
        if await self._is_shared(ask.channel):
            raise SharedChannel
        app = await self._.access.app_for(ask.user, region, name)
        self._.names.learn(region, app.id, app.name, self._.now)
        return app

    async def _is_shared(self, channel: str) -> bool:
        """Where we can't see it, nothing is posted, and what is said to the person alone nobody else reads."""
        try:
            return (await self._.slack.channel(channel)).is_shared
        except CannotPost:
            return False

    async def _bring(self, ask: Ask, session: Session, generation: int = 0) -> str:
        parts = self._
        await self._heal.channel_once(ask.channel)
        delivery = await parts.store.add_delivery(
            session.key,
            ask.channel,
            cause="ask",
            asked_by=ask.user,
            ask_id=ask.id,
            now=parts.now,
            expires_at=parts.now + waits.KEPT_S,
            generation=generation,
        )
        if delivery is None:
            existing = await parts.store.delivery_of(session.key, ask.channel)
            if existing is not None and existing.ask_id != ask.id:
                return await self._already(ask, session, existing)
            if existing is not None and existing.finished_at is not None:
                # The process was killed between the end of the delivery and that of the ask.
                return existing.state
            delivery = existing
        if delivery is not None:
            # The ask stays owed until the delivery is; should both be lost sight of, the sweep comes here again.
            await parts.store.postpone_ask(ask.id, parts.now + waits.MINUTE_S, "")
            await parts.put_delivery(delivery.id)
        return ""

    async def _already(self, ask: Ask, session: Session, delivery: Delivery) -> str:
        """A session comes to a channel once: the person gets the way to its thread, and a button that posts it anew."""
        parts = self._
        if delivery.state in {"failed", "stopped", "expired"}:
            await parts.store.reopen_delivery(
                delivery.id, parts.now, parts.now + waits.KEPT_S, asked_by=ask.user, ask_id=ask.id
            )
            await parts.put_delivery(delivery.id)
            return ""
        if delivery.parent_ts is None:
            return await self._on_its_way(ask, session)
        link = await parts.slack.permalink(ask.channel, delivery.parent_ts)
        again = {
            "region": session.key.region,
            "app": session.app_name,
            "app_id": session.key.app_id,
            "event_id": session.key.event_id,
            "generation": delivery.generation + 1,
        }
        await parts.slack.respond(
            ask.response_url, blocks.already_here(session.app_name, link, signing.seal(parts.button_key, again))
        )
        await self._trail(ask, "already here", session)
        return "already here"

    async def _on_its_way(self, ask: Ask, session: Session) -> str:
        """Where the bot is not in the channel it is kept: what is kept is tried at once, for the bot may be back."""
        parts = self._
        parts.slack.forget_channel(ask.channel)
        for delivery in await parts.store.release_held(ask.channel, parts.now):
            await parts.put_delivery(delivery)
        try:
            channel = await parts.slack.channel(ask.channel)
            may_post = channel.is_member or channel.is_im
        except CannotPost:
            may_post = False
        said = blocks.sentence(blocks.held(session.app_name, blocks.NOT_IN_CHANNEL))
        await parts.slack.respond(ask.response_url, blocks.on_its_way(session.app_name) if may_post else said)
        return "on its way" if may_post else "held"

    async def _list(self, ask: Ask, asked: Mapping[str, Any]) -> str:
        region = asked["region"]
        app = await self._may_read(ask, region, asked["app"])
        events = await newest_events(self._, region, app, SESSIONS_LISTED)
        sessions = [session_of(event, region, app.name) for event in events]
        values = [
            signing.seal(
                self._.button_key,
                {
                    "region": region,
                    "app": app.name,
                    "app_id": app.id,
                    "event_id": session.key.event_id,
                    "audit_log_id": session.audit_log_id,
                },
            )
            for session in sessions
        ]
        await self._.slack.respond(
            ask.response_url,
            blocks.sessions_list(region, app.name, sessions, values, content=self._.settings.content_for(region)),
        )
        await self._trail(ask, "listed")
        return "listed"

    # --- subscriptions

    async def _subscribe(self, ask: Ask, asked: Mapping[str, Any]) -> str:
        app = await self._may_read(ask, asked["region"], asked["app"])
        await self._heal.channel_once(ask.channel)
        message = await self._follow.subscribe(asked["region"], app, ask.channel, ask.user, ask.created_at)
        await self._.slack.respond(ask.response_url, message)
        await self._trail(ask, "subscribed")
        return "subscribed"

    async def _unsubscribe(self, ask: Ask, asked: Mapping[str, Any]) -> str:
        message = await self._follow.unsubscribe(asked["region"], asked["app"], ask.channel, ask.user)
        await self._.slack.respond(ask.response_url, message)
        await self._trail(ask, "unsubscribed")
        return "unsubscribed"

    async def _subscriptions(self, ask: Ask, _: Mapping[str, Any]) -> str:
        if await self._is_shared(ask.channel):
            raise SharedChannel
        await self._.slack.respond(ask.response_url, await self._follow.overview(ask.channel, ask.user))
        await self._trail(ask, "listed")
        return "listed"

    async def _forged_button(self, _ask: Ask, _: Mapping[str, Any]) -> str:
        raise Refused(signing.NOT_OURS)

    # --- what went wrong

    async def _failed(self, ask: Ask, error: Exception) -> None:
        log().info("ask not answered", ask=ask.id, kind=ask.kind, error=type(error).__name__, attempt=ask.attempts + 1)
        if not isinstance(error, BotError):
            log().error("a fault of ours", exc_info=error, ask=ask.id)
        if self._worth_another_try(ask, error):
            await self._again(ask, error)
            return
        refused = isinstance(error, BotError) and not isinstance(error, Retryable)
        await self._trail(ask, f"{'refused' if refused else 'failed'}: {type(error).__name__}")
        sentence = str(error) if isinstance(error, BotError) else blocks.fault_of_ours(ask.id)
        with contextlib.suppress(BotError):
            await self._.slack.respond(ask.response_url, blocks.sentence(sentence))
        await self._.store.finish_ask(ask.id, type(error).__name__, self._.now)

    def _worth_another_try(self, ask: Ask, error: Exception) -> bool:
        # What is there to be seen without an answer is done however late; of the rest the person would hear nothing.
        if self._.now - ask.created_at > (waits.KEPT_S if ask.kind in _DONE_WITHOUT_ANSWER else ANSWERED_WITHIN_S):
            return False
        if isinstance(error, BotError):
            return isinstance(error, Retryable)
        return ask.attempts + 1 < waits.UNEXPECTED_TRIES

    async def _again(self, ask: Ask, error: Exception) -> None:
        parts = self._
        wait = waits.before_try(ask.attempts + 1, error)
        await parts.store.postpone_ask(ask.id, parts.now + wait, type(error).__name__)
        await parts.queue.put(ANSWER, str(ask.id), delay_s=wait)
        if ask.attempts == 1:
            with contextlib.suppress(BotError):
                await parts.slack.respond(ask.response_url, blocks.still_asking(str(error)))

    async def _trail(self, ask: Ask, outcome: str, session: Session | None = None) -> None:
        asked = ask.payload
        named = session.key if session else asked.get("audit_log_id") or asked.get("event_id") or ""
        await self._.store.record(
            who=ask.user,
            channel=ask.channel,
            region=str(asked.get("region", "")),
            app=str(asked.get("app", "")),
            session=str(named),
            action=ask.kind,
            outcome=outcome,
            now=self._.now,
        )
