"""Where the doors hand in what arrived: kept in the store, then given to a job."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.errors import BotError
from bot.jobs.parts import ANSWER, HINT, Parts
from bot.log import log

_ANSWERED_WITHIN_S = 2.0
# A hiccup is no reason to restart a container; nor is one round of readings that failed.
PATIENCE_S = 15.0


class Inbox:
    def __init__(self, parts: Parts) -> None:
        self._ = parts

    # --- Slack's door

    async def keep(
        self, key: str, kind: str, payload: dict[str, Any], *, user: str, channel: str, response_url: str
    ) -> int | None:
        parts = self._
        ask = await parts.store.add_ask(
            key, kind, payload, user=user, channel=channel, response_url=response_url, now=parts.now
        )
        return ask.id if ask else None

    async def hand_over(self, ask: int) -> None:
        await self._.queue.put(ANSWER, str(ask))

    async def joined(self, user: str, channel: str) -> None:
        """We are back: what was kept for the channel is made."""
        parts = self._
        if user != (await parts.slack.identity()).bot_user_id:
            return
        parts.slack.forget_channel(channel)
        for delivery in await parts.store.release_held(channel, parts.now):
            await parts.put_delivery(delivery)
        log().info("back in channel", channel=channel)

    # --- Scalingo's door

    async def hint(self, region: str, app_id: str, event_id: str) -> None:
        await self._.queue.put(HINT, f"{region}/{app_id}/{event_id}/0")

    # --- for whoever runs this

    async def health(self) -> dict[str, str]:
        try:
            async with asyncio.timeout(_ANSWERED_WITHIN_S):
                await self._.store.ping()
                apps = await self._.store.followed_apps()
        except (BotError, TimeoutError):
            return {"store": "does not answer"}
        patience_s = max(PATIENCE_S, 3 * self._.settings.poll_every_s)
        failing = [app for app in apps if app.failing_since and self._.now - app.failing_since > patience_s]
        # A hint is believed when the API confirms it: where no app's events can be read, both ways in are gone.
        return {"sessions": "neither way in works"} if apps and len(failing) == len(apps) else {}

    async def metrics(self) -> bytes:
        owed = await self._.store.owed_stats(self._.now)
        return self._.metrics.text(owed.count + owed.held, owed.oldest_age_s)
