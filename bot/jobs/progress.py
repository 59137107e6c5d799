"""What a person reads while a long log is on its way: one message to them alone, replaced, gone at the end."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from bot.errors import BotError
from bot.slack import blocks
from bot.slack.api import Slack

# Most sessions are there before anybody would read it.
FIRST_AFTER_S = 2.0
# A response address takes five posts: this one, two more like it, the end, and one for whatever goes wrong.
_UPDATES = 3
_UPDATE_EVERY_S = 8.0


class Progress:
    def __init__(self, slack: Slack, response_url: str, app_name: str) -> None:
        self._slack = slack
        self._response_url = response_url
        self._app_name = app_name
        self._bytes = 0
        self._said = False
        self._task: asyncio.Task[None] | None = None

    def downloaded(self, done: int, total: int | None) -> None:
        self._bytes = done

    async def __aenter__(self) -> Self:
        if self._response_url:
            self._task = asyncio.create_task(self._say())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError, BotError):
            await self._task
        if self._said:
            with contextlib.suppress(BotError):
                await self._slack.respond(self._response_url, None, delete=True)

    async def _say(self) -> None:
        await asyncio.sleep(FIRST_AFTER_S)
        for _ in range(_UPDATES):
            replace, self._said = self._said, True
            await self._slack.respond(self._response_url, blocks.progress(self._app_name, self._bytes), replace=replace)
            await asyncio.sleep(_UPDATE_EVERY_S)
