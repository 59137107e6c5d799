"""Brings one session to one channel: parent, commands, transcript. Every step can be repeated; what fails is owed until it is said."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Literal

from bot.errors import (
    AuditLogBroken,
    BotError,
    CannotPost,
    Gone,
    NotReady,
    NotYours,
    SharedChannel,
    ThreadGone,
)
from bot.jobs import waits
from bot.jobs.crowd import Crowd
from bot.jobs.events import find_event, find_event_by_key, session_of
from bot.jobs.notices import GONE, RIGHT_LOST, SHARED, Notices
from bot.jobs.parts import Parts
from bot.jobs.progress import Progress
from bot.jobs.watch import Watch
from bot.log import log
from bot.readings import Reading
from bot.session import Session
from bot.slack import blocks
from bot.slack.message import Message
from bot.slack.thread import Thread, ThreadState
from bot.store import Delivery, EndState, OpenState

# A log whose last record is this young may belong to a session that goes on.
MAY_GROW_S = 10 * waits.MINUTE_S
# What the parent's metadata tells an empty store: the thread is all that it is to be.
READY = "ready"
# Beside how far a thread has come: how long the log was whose transcript is in it.
LOG_BYTES = "log_bytes"
_FIRST_RECHECK_S = 2 * waits.MINUTE_S
_OUTSIDE = {"not_in_channel", "channel_not_found"}
# Should Slack call us a member and yet not let us post.
_BACK_AT_ONCE_TRIES = 5


# One that is longer has a way of its own: a few of them at once, whatever their channels.
LARGE_BYTES = 8 * 1024 * 1024
LARGE_AT_ONCE = 2
# A channel takes a message a second; those behind these would only stand in the way of other channels'.
AT_ONCE_IN_A_CHANNEL = 6


class Deliver:
    def __init__(self, parts: Parts, watch: Watch) -> None:
        self._ = parts
        self._watch = watch
        self._crowd = Crowd()
        self._notices = Notices(parts)

    async def __call__(self, key: str) -> None:
        """`key` is a delivery's id."""
        parts, row_id = self._, int(key)
        delivery = await parts.store.delivery(row_id)
        if delivery is None:
            return
        kind, at_once = await self._kind(delivery)
        if not self._crowd.enters(kind, row_id, at_once):
            return
        try:
            async with parts.leased_delivery(row_id) as leased:
                if leased is not None:
                    await self._deliver(leased)
        finally:
            following = self._crowd.leaves(kind)
            if following is not None:
                await parts.put_delivery(following)

    async def _kind(self, delivery: Delivery) -> tuple[str, int]:
        known = await self._.store.session(delivery.key)
        if known is not None and (known.session.audit_log_size or 0) > LARGE_BYTES:
            return "large", LARGE_AT_ONCE
        return f"{delivery.channel}/{delivery.cause}", AT_ONCE_IN_A_CHANNEL

    async def _deliver(self, delivery: Delivery) -> None:
        session = await self._session(delivery)
        if session is None:
            return
        try:
            await self._bring(delivery, session)
        except Exception as error:
            await self._failed(delivery, session, error)

    async def _session(self, delivery: Delivery) -> Session | None:
        """A store that was emptied finds a delivery in its thread, and may not have heard of the session since."""
        parts, key = self._, delivery.key
        known = await parts.store.session(key)
        if known is not None:
            return known.session
        try:
            found = await find_event_by_key(parts, key)
        except BotError as error:
            log().info("session not found again", session=str(key), error=type(error).__name__)
            found = None
        if found is not None:
            name, event = found
            return await self._watch.hear(key.region, key.app_id, name, event)
        if parts.now >= delivery.expires_at:
            await self._end(delivery, "expired", "Scalingo does not list that session any more.")
        else:
            await parts.store.postpone_delivery(delivery.id, parts.now + waits.MINUTE_S, "unknown session")
        return None

    async def _bring(self, delivery: Delivery, session: Session) -> None:
        await self._check_channel(delivery)
        session = await self._with_audit_log_id(await self._checked(delivery, session))
        async with (
            self._progress(delivery, session) as progress,
            self._.readings.of(
                session, background=delivery.cause == "subscription", on_progress=progress.downloaded
            ) as reading,
        ):
            await self._post(delivery, session, reading)
        await self._delivered(delivery, session, reading)

    async def _check_channel(self, delivery: Delivery) -> None:
        channel = await self._.slack.channel(delivery.channel)
        if channel.is_shared:
            raise SharedChannel
        if channel.is_archived:
            raise CannotPost(blocks.ARCHIVED_CHANNEL, "is_archived")
        if not channel.is_member and not channel.is_im:
            raise CannotPost(blocks.NOT_IN_CHANNEL, "not_in_channel")

    async def _checked(self, delivery: Delivery, session: Session) -> Session:
        """By its app's present name. The right is looked at when the session is handed out: days may have passed since."""
        parts, key = self._, session.key
        try:
            return await self._allowed(delivery, await self._named(session))
        except NotYours:
            # What ends a subscription is no answer of minutes ago; the app may have another name by now, too.
            parts.names.doubt(key.region, key.app_id)
            session = await self._named(session)
            parts.access.forget(key.region, session.app_name, delivery.asked_by)
            return await self._allowed(delivery, session)

    async def _named(self, session: Session) -> Session:
        parts, key = self._, session.key
        return replace(session, app_name=await parts.names.present(key.region, key.app_id, session.app_name, parts.now))

    async def _allowed(self, delivery: Delivery, session: Session) -> Session:
        app = await self._.access.app_for(delivery.asked_by, session.key.region, session.app_name)
        if app.id != session.key.app_id:
            raise NotYours(f"Another app is called `{app.name}` by now.")
        return session

    async def _with_audit_log_id(self, session: Session) -> Session:
        """The event may have been seen before its log had an id."""
        if session.audit_log_id:
            return session
        event = await find_event(self._, session)
        if event is None or event.audit_log_id is None:
            raise NotReady("The session has no audit log yet.")
        await self._.store.update_session(
            session.key, audit_log_id=event.audit_log_id, audit_log_size=event.audit_log_size
        )
        return session_of(event, session.key.region, session.app_name)

    @asynccontextmanager
    async def _progress(self, delivery: Delivery, session: Session) -> AsyncIterator[Progress]:
        ask = await self._.store.ask(delivery.ask_id) if delivery.ask_id else None
        async with Progress(self._.slack, ask.response_url if ask else "", session.app_name) as progress:
            yield progress

    # --- the thread

    def _thread(self, delivery: Delivery, posted: str) -> Thread:
        log_bytes = delivery.thread.get(LOG_BYTES)

        async def save(state: ThreadState) -> None:
            await self._.store.save_thread(delivery.id, **asdict(state), **{LOG_BYTES: log_bytes})

        return Thread(
            self._.slack,
            delivery.channel,
            delivery.thread_key,
            ThreadState(**{name: value for name, value in delivery.thread.items() if name != LOG_BYTES}),
            save,
            beside_others=self._.others_have_stores,
            facts={"asked_by": delivery.asked_by, "cause": delivery.cause, "posted": posted},
        )

    async def _post(self, delivery: Delivery, session: Session, reading: Reading) -> None:
        content = self._.settings.content_for(session.key.region)
        thread, digest = self._thread(delivery, READY), reading.digest
        await thread.parent(self._parent(delivery, session, blocks.Ready(digest) if digest.records else blocks.Empty()))
        if digest.records and content != "metadata":
            await thread.commands(
                blocks.commands_reply(
                    digest,
                    content=content,
                    posted_for=delivery.asked_by,
                    by_subscription=delivery.cause == "subscription",
                )
            )
        if digest.records and content == "full":
            posted = delivery.thread.get(LOG_BYTES)
            name = blocks.file_name(session)
            await thread.transcript(
                reading.transcript.path, name, name, changed=posted not in {None, reading.log_bytes}
            )
        await self._.store.save_thread(delivery.id, **asdict(thread.state), **{LOG_BYTES: reading.log_bytes})

    def _parent(self, delivery: Delivery, session: Session, state: blocks.State) -> Message:
        return blocks.parent(
            session,
            state,
            content=self._.settings.content_for(session.key.region),
            posted_for=delivery.asked_by,
            by_subscription=delivery.cause == "subscription",
        )

    async def _delivered(self, delivery: Delivery, session: Session, reading: Reading) -> None:
        parts = self._
        # The delivery last: whoever is killed before comes here again.
        await self._read(session, reading)
        await self._trail(delivery, session.app_name, "posted")
        await parts.store.finish_delivery(delivery.id, "done", "", parts.now)
        if delivery.ask_id:
            await parts.store.finish_ask(delivery.ask_id, "posted", parts.now)
        parts.metrics.posted.inc()
        log().info("session posted", session=str(session.key), channel=delivery.channel, for_=delivery.asked_by)

    async def _read(self, session: Session, reading: Reading) -> None:
        digest = reading.digest
        last = digest.last_output_at
        now = datetime.fromtimestamp(self._.now, UTC)
        may_grow = last is None or (now - _aware(last)).total_seconds() < MAY_GROW_S
        await self._.store.update_session(
            session.key,
            state="read",
            read_size=reading.log_bytes,
            commands=digest.command_count,
            duration_s=digest.duration_s,
            recheck_at=self._.now + _FIRST_RECHECK_S if may_grow else None,
        )

    # --- what went wrong

    async def _failed(self, delivery: Delivery, session: Session, error: Exception) -> None:
        attempts = delivery.attempts + 1
        log().info(
            "session not posted",
            session=str(session.key),
            channel=delivery.channel,
            error=type(error).__name__,
            attempt=attempts,
        )
        late = self._.now >= delivery.expires_at
        match error:
            case ThreadGone():
                await self._end(delivery, "stopped", str(error))
            case NotYours() | SharedChannel():
                await self._refused(delivery, session, error)
            case Gone() if await self._app_is_gone(session):
                await self._refused(delivery, session, error)
            case CannotPost() if not late:
                await self._hold(delivery, session, error)
            case CannotPost():
                await self._expire(delivery, session, error)
            case NotReady() if not late:
                await self._wait(delivery, session, error)
            case AuditLogBroken() if attempts >= waits.BROKEN_TRIES and delivery.error == type(error).__name__:
                await self._give_up(delivery, session, f"Its audit log can't be read: {error}")
            case BotError() if not late:
                await self._postpone(delivery, session, error)
            case NotReady():
                await self._give_up(delivery, session, str(error), "no_log")
            case BotError():
                await self._give_up(delivery, session, str(error))
            case _ if attempts >= waits.UNEXPECTED_TRIES and delivery.error == type(error).__name__:
                await self._give_up(
                    delivery, session, f"Something failed here that should not ({type(error).__name__})."
                )
            case _:
                log().error("a fault of ours", exc_info=error, session=str(session.key))
                await self._postpone(delivery, session, error)

    async def _app_is_gone(self, session: Session) -> bool:
        """One 404 on the way does not say so."""
        self._.names.doubt(session.key.region, session.key.app_id)
        try:
            await self._named(session)
        except Gone:
            return True
        except BotError:
            return False
        return False

    async def _postpone(
        self, delivery: Delivery, session: Session, error: Exception, state: OpenState = "owed", *, sentence: str = ""
    ) -> None:
        parts = self._
        if not delivery.error:
            # The first failure. Before it is written down, for whoever is killed here has to say it again.
            await self._tell(delivery, sentence or blocks.still_trying(session.app_name, str(error)))
        wait = waits.before_try(delivery.attempts + 1, error)
        await parts.store.postpone_delivery(delivery.id, parts.now + wait, type(error).__name__, state)
        await parts.put_delivery(delivery.id, delay_s=wait)

    async def _hold(self, delivery: Delivery, session: Session, error: CannotPost) -> None:
        """Kept until the bot is back in the channel; whoever asked is told at once."""
        said = blocks.held(session.app_name, str(error))
        if delivery.state != "held":
            await self._trail(delivery, session.app_name, f"held: {error.reason}")
        if delivery.error:
            # Something else went wrong before; an ask that is finished has no address to say it again.
            await self._tell(delivery, said)
        await self._postpone(delivery, session, error, "held", sentence=said)
        if delivery.ask_id:
            await self._.store.finish_ask(delivery.ask_id, "held", self._.now)
        if error.reason in _OUTSIDE and delivery.attempts < _BACK_AT_ONCE_TRIES:
            await self._release_if_back(delivery)

    async def _release_if_back(self, delivery: Delivery) -> None:
        """Whoever invited the bot while it still found itself outside released nothing, for nothing was held yet."""
        parts = self._
        parts.slack.forget_channel(delivery.channel)
        with contextlib.suppress(BotError):
            await self._check_channel(delivery)
            await parts.store.postpone_delivery(delivery.id, parts.now, CannotPost.__name__)
            await parts.put_delivery(delivery.id)

    async def _expire(self, delivery: Delivery, session: Session, error: CannotPost) -> None:
        """The channel takes nothing, so it is said to whoever it was for; once a day, however many sessions there are."""
        parts = self._
        await self._end(delivery, "expired", str(error))
        if await parts.store.take_turn(f"expired/{delivery.channel}", parts.now, 24 * waits.HOUR_S):
            with contextlib.suppress(BotError):
                await parts.slack.post(
                    delivery.asked_by, blocks.expired(session.app_name, delivery.channel, session.audit_log_id)
                )

    async def _wait(self, delivery: Delivery, session: Session, error: NotReady) -> None:
        """The parent says at once that the session is there; the thread follows."""
        parts = self._
        parts.names.doubt(session.key.region, session.key.app_id)
        try:
            if delivery.parent_ts is None:
                await self._thread(delivery, "waiting").parent(self._parent(delivery, session, blocks.Waiting()))
        except BotError as instead:
            await self._failed(delivery, session, instead)
            return
        await parts.store.update_session(session.key, state="waiting")
        wait = waits.before_try(delivery.attempts + 1, error)
        await parts.store.postpone_delivery(delivery.id, parts.now + wait, type(error).__name__)
        await parts.put_delivery(delivery.id, delay_s=wait)
        if delivery.ask_id:
            await parts.store.finish_ask(delivery.ask_id, "waiting", parts.now)

    async def _refused(self, delivery: Delivery, session: Session, error: BotError) -> None:
        if delivery.cause == "subscription":
            ending = {NotYours: RIGHT_LOST, SharedChannel: SHARED}.get(type(error), GONE)
            app = (session.key.region, session.key.app_id)
            for each in await self._.store.subscriptions(channel=delivery.channel, app=app):
                await self._notices.end_subscription(each, ending)
        await self._end(delivery, "stopped", str(error), f"refused: {type(error).__name__}")

    async def _give_up(
        self, delivery: Delivery, session: Session, sentence: str, state: Literal["failed", "no_log"] = "failed"
    ) -> None:
        """Said in the thread, with what to do; where nothing of the session may be said, in our log."""
        with contextlib.suppress(BotError):
            if delivery.parent_ts is None:
                # It may have failed before anybody knew whether the channel and whoever asked may see the session.
                await self._check_channel(delivery)
                session = await self._checked(delivery, session)
            await self._thread(delivery, "failed").parent(self._parent(delivery, session, blocks.Failed(sentence)))
        await self._.store.update_session(session.key, state=state if session.audit_log_id else "no_log")
        await self._end(delivery, "failed", sentence)

    async def _end(self, delivery: Delivery, state: EndState, sentence: str, outcome: str = "") -> None:
        parts = self._
        await self._tell(delivery, sentence)
        known = await parts.store.session(delivery.key)
        await self._trail(delivery, known.session.app_name if known else "", outcome or state)
        await parts.store.finish_delivery(delivery.id, state, sentence, parts.now)
        if delivery.ask_id:
            await parts.store.finish_ask(delivery.ask_id, state, parts.now)
        if state == "failed":
            parts.metrics.failed.inc()
        log().warning("session given up", session=str(delivery.key), channel=delivery.channel, state=state)

    async def _tell(self, delivery: Delivery, sentence: str) -> None:
        """To the person alone, where a person asked and can still be answered."""
        ask = await self._.store.ask(delivery.ask_id) if delivery.ask_id else None
        if ask is not None and ask.response_url:
            with contextlib.suppress(BotError):
                await self._.slack.respond(ask.response_url, blocks.sentence(sentence))

    async def _trail(self, delivery: Delivery, app_name: str, outcome: str) -> None:
        await self._.store.record(
            who=delivery.asked_by,
            channel=delivery.channel,
            region=delivery.key.region,
            app=app_name,
            session=str(delivery.key),
            action=delivery.cause,
            outcome=outcome,
            now=self._.now,
        )


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
