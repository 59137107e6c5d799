"""What a channel is told once of the bot's own doing, without anything of a session: written down first, then looked for, then said."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from bot.errors import BotError
from bot.jobs import waits
from bot.jobs.parts import Parts
from bot.log import log
from bot.slack import blocks
from bot.slack.message import Message
from bot.store import Subscription

NOTICE_EVENT = "scalingo_notice"
_OWED = "notice/"
# Apps whose notifier is to have another address by now, or to go.
READDRESS = "readdress/"
# A store that was lost remembers nothing of the week that its message was about.
_LOOK_BACK_S = 8 * 24 * waits.HOUR_S


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a channel gets no more sessions of an app, and what to do about it; `{app}` is the app's name."""

    why: str
    advice: str = ""


GONE = Ending("it was deleted, or transferred to somebody whose apps I can't see")
RIGHT_LOST = Ending(blocks.RIGHT_LOST, " Somebody who may read them starts again with `/auditlog subscribe {app}`.")
SHARED = Ending("it is shared with another company", " `/auditlog subscribe {app}` works in a channel of your own.")


class Notices:
    def __init__(self, parts: Parts) -> None:
        self._ = parts

    async def end_subscription(self, subscription: Subscription, ending: Ending) -> None:
        """Said in the channel; a kill between any two of these steps has them done again, and none of them shows twice."""
        parts, region, app_id = self._, subscription.region, subscription.app_id
        name = subscription.app_name
        said = f"This channel gets no more sessions of `{name}`: {ending.why}.{ending.advice.format(app=name)}"
        await self.owe(subscription.channel, f"end/{region}/{app_id}/{int(subscription.since)}", blocks.sentence(said))
        await parts.store.set_mark(f"{READDRESS}{region}/{app_id}", "owed", parts.now)
        if await parts.store.stop_subscription(region, app_id, subscription.channel, ending.why, parts.now):
            log().warning("subscription ended", region=region, app=app_id, channel=subscription.channel)
        await self.pay()

    async def owe(self, channel: str, name: str, message: Message) -> None:
        """What is owed, or was said, under that name in that channel is not owed again."""
        now = self._.now
        await self._.store.set_mark_once(_key(channel, name), now, json.dumps({"at": now, **asdict(message)}))

    async def is_known(self, channel: str, name: str) -> bool:
        return await self._.store.mark(_key(channel, name)) is not None

    async def pay(self) -> None:
        """Says what is owed: each by one process, and again after a while where it can't be said now."""
        parts = self._
        for key, value in (await parts.store.marks_like(_OWED)).items():
            if await parts.store.take_turn(f"turn/{key}", parts.now, waits.MINUTE_S):
                await self._pay(key, json.loads(value))

    async def _pay(self, key: str, owed: dict[str, Any]) -> None:
        parts = self._
        channel = key.split("/")[1]
        try:
            if not await self._is_said(channel, key):
                message = Message(owed["text"], owed["blocks"])
                metadata = {"event_type": NOTICE_EVENT, "event_payload": {"key": key}}
                await parts.slack.post(channel, message, metadata=metadata)
        except BotError as error:
            log().warning("notice not said", channel=channel, notice=key, error=type(error).__name__)
            if parts.now - owed["at"] < waits.KEPT_S:
                return
        await parts.store.set_mark(key, "", parts.now)

    async def _is_said(self, channel: str, key: str) -> bool:
        us = await self._.slack.identity()
        async for message in self._.slack.history(channel, oldest=self._.now - _LOOK_BACK_S):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == NOTICE_EVENT and payload.get("key") == key and us.wrote(message):
                return True
        return False


def _key(channel: str, name: str) -> str:
    return f"{_OWED}{channel}/{name}"
