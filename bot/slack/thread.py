"""A session's thread in a channel: a parent, the commands, the transcript; each of them once, whatever happens between.

What is about to be done is saved before it is done (`…_tried`), its result after. Whoever finds "tried" without a result
(the process was killed, the answer got lost) looks in Slack what is there before he does it again: messages carry the
session's key in their metadata, and the file's id is saved before the file can be seen.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import BlocksRefused, BotError, Gone, ThreadGone, Unreachable
from bot.slack.api import SharedFile, Slack
from bot.slack.message import Message

PARENT_EVENT = "scalingo_session"
COMMANDS_EVENT = "scalingo_commands"
# A delivery is kept for 72 hours: an older parent is not that of one which is still owed.
LOOK_BACK_S = 73 * 3600.0
# A file appears some time after Slack said that it is shared.
LOOKS_FOR_FILE_S = (0.0, 0.5, 1.0, 2.0, 4.0)
PLAIN_TEXT_LIMIT = 3000
# In this time whoever posted a parent has its replies posted as well.
OTHERS_TAKE_S = 30.0


@dataclass(slots=True)
class ThreadState:
    """How far a thread has come; whoever owns the thread persists it."""

    parent_ts: str | None = None
    parent_tried: bool = False
    commands_ts: str | None = None
    commands_tried: bool = False
    file_id: str | None = None
    file_tried: bool = False
    file_shared: bool = False


class Thread:
    """`save` persists the state and returns when it is safe.

    `look_first` is for a store that may have lost its rows. `beside_others` is for one beside which another process may
    post the same thread, out of a store of its own: the older parent stays, and who did not post it waits a while.
    """

    def __init__(
        self,
        slack: Slack,
        channel: str,
        key: str,
        state: ThreadState,
        save: Callable[[ThreadState], Awaitable[None]],
        *,
        look_first: bool = False,
        beside_others: bool = False,
        facts: Mapping[str, str | int] | None = None,
    ) -> None:
        """`key` names the session (and its posting, where it is posted anew); `facts` go into the metadata beside it."""
        self.state = state
        self._slack = slack
        self._channel = channel
        self._key = key
        self._save_state = save
        self._look_first = look_first
        self._beside_others = beside_others
        self._facts = dict(facts or {})

    async def parent(self, message: Message) -> None:
        """Posts it, or brings it up to date. Raises ThreadGone where a person has deleted it."""
        state = self.state
        if self._beside_others:
            await self._make_way()
        if state.parent_ts is None and (state.parent_tried or self._look_first):
            await self._adopt(await self._find_parent())
        if state.parent_ts is not None:
            await self._update(state.parent_ts, message, PARENT_EVENT)
            return
        state.parent_tried = True
        await self._save()
        try:
            state.parent_ts = await self._post(message, PARENT_EVENT)
        except Unreachable as lost:
            await self._adopt(await self._find_parent() if lost.maybe_done else None)
            if state.parent_ts is None:
                raise
        await self._save()
        if self._beside_others:
            await self._make_way()

    async def commands(self, message: Message) -> None:
        """The first reply; `parent` comes before it. A reply that a person has deleted stays deleted."""
        state, parent_ts = self.state, self._parent_ts()
        if state.commands_ts is None and state.commands_tried:
            state.commands_ts = await self._find_commands()
        if state.commands_ts is not None:
            await self._update_reply(state.commands_ts, message)
            await self._save()
            return
        state.commands_tried = True
        await self._save()
        try:
            state.commands_ts = await self._post(message, COMMANDS_EVENT, thread_ts=parent_ts)
        except Unreachable as lost:
            state.commands_ts = await self._find_commands() if lost.maybe_done else None
            if state.commands_ts is None:
                raise
        await self._save()

    async def transcript(self, path: Path, name: str, title: str, *, changed: bool = False) -> None:
        """The file, once; with `changed` it takes the place of the one that is there. An empty file is none: Slack refuses it."""
        state, size = self.state, (await asyncio.to_thread(path.stat)).st_size
        if size == 0 or (state.file_shared and not changed):
            return
        outdated = state.file_id if state.file_shared else None
        there = await self._files_there(name) if state.file_tried else []
        new = next((file for file in there if file.id != outdated and self._is_this(file, size)), None)
        state.file_id = new.id if new else await self._upload(path, name, title)
        state.file_shared = True
        await self._save()
        for file in there:
            if file.id != state.file_id and (file.id == outdated or file.name == name):
                await self._slack.delete_file(file.id)
                await self._slack.delete(self._channel, file.ts)

    # The parent

    async def _find_parent(self) -> str | None:
        return await anext(self._parents(), None)

    async def _parents(self) -> AsyncIterator[str]:
        """The newest first. There are two for a moment where two processes with stores of their own saw none."""
        async for message in self._slack.history(self._channel, oldest=time.time() - LOOK_BACK_S):
            if await self._is_ours(message, PARENT_EVENT):
                yield str(message["ts"])

    async def _make_way(self) -> None:
        """Raises Unreachable for whoever was not the first; what is in the thread by then is found when he comes again."""
        parents = [parent_ts async for parent_ts in self._parents()]
        if not parents:
            return
        first = min(parents, key=float)
        mine = self.state.parent_ts
        if mine is not None and mine != first:
            await self._slack.delete(self._channel, mine)
        await self._adopt(first)
        if mine != first and time.time() - float(first) < OTHERS_TAKE_S:
            raise Unreachable("Another container posts this session just now.", retry_after_s=OTHERS_TAKE_S)

    async def _adopt(self, parent_ts: str | None) -> None:
        """A parent that is there already may have its replies, too: they are looked for before they are posted."""
        if parent_ts is not None:
            self.state.parent_ts = parent_ts
            self.state.parent_tried = self.state.commands_tried = self.state.file_tried = True
            await self._save()

    def _parent_ts(self) -> str:
        if self.state.parent_ts is None:
            raise ValueError("the parent comes first")
        return self.state.parent_ts

    # The commands

    async def _find_commands(self) -> str | None:
        async for message in self._slack.replies(self._channel, self._parent_ts()):
            if await self._is_ours(message, COMMANDS_EVENT):
                return str(message["ts"])
        return None

    async def _update_reply(self, ts: str, message: Message) -> None:
        try:
            await self._update(ts, message, COMMANDS_EVENT)
        except ThreadGone:
            return

    # The transcript

    async def _upload(self, path: Path, name: str, title: str) -> str:
        async def remember(file_id: str) -> None:
            self.state.file_id, self.state.file_tried, self.state.file_shared = file_id, True, False
            await self._save()

        try:
            return await self._slack.upload(self._channel, self._parent_ts(), path, name, title, on_file_id=remember)
        except Unreachable as lost:
            file_id = self.state.file_id
            if lost.maybe_done and file_id and any(file.id == file_id for file in await self._files_there(name)):
                return file_id
            raise

    async def _files_there(self, name: str) -> list[SharedFile]:
        """Our files in the thread, once the one that we know of has appeared, or is known not to have been shared."""
        files: list[SharedFile] = []
        for seconds in LOOKS_FOR_FILE_S:
            await asyncio.sleep(seconds)
            files = await self._slack.our_files(self._channel, self._parent_ts())
            file_id = self.state.file_id
            if (
                file_id is None
                or any(file.id == file_id for file in files)
                or not await self._slack.file_exists(file_id)
            ):
                return files
        return await self._share_again(name, files)

    async def _share_again(self, name: str, files: list[SharedFile]) -> list[SharedFile]:
        """Slack has the file and does not show it: its last call may never have arrived."""
        file_id = self.state.file_id or ""
        try:
            await self._slack.share(self._channel, self._parent_ts(), file_id, name)
        except BotError as refused:
            if type(refused) not in {BotError, Gone}:
                raise
            raise Unreachable("Slack has the transcript and does not show it yet.", retry_after_s=30.0) from None
        return [*files, SharedFile(file_id, name, None, "")]

    def _is_this(self, file: SharedFile, size: int) -> bool:
        """Whether it holds the transcript as it is now; a store that lost its rows knows no id."""
        return self.state.file_id in {None, file.id} and file.size in {None, size}

    # Messages

    async def _post(self, message: Message, event: str, *, thread_ts: str | None = None) -> str:
        metadata = self._metadata(event)
        try:
            return await self._slack.post(self._channel, message, thread_ts=thread_ts, metadata=metadata)
        except BlocksRefused:
            return await self._slack.post(self._channel, plain(message), thread_ts=thread_ts, metadata=metadata)

    async def _update(self, ts: str, message: Message, event: str) -> None:
        metadata = self._metadata(event)
        try:
            await self._slack.update(self._channel, ts, message, metadata=metadata)
        except BlocksRefused:
            await self._slack.update(self._channel, ts, plain(message), metadata=metadata)

    def _metadata(self, event: str) -> dict[str, Any]:
        return {"event_type": event, "event_payload": {**self._facts, "key": self._key}}

    async def _is_ours(self, message: Mapping[str, Any], event: str) -> bool:
        metadata = message.get("metadata") or {}
        if metadata.get("event_type") != event or (metadata.get("event_payload") or {}).get("key") != self._key:
            return False
        # Anybody who can post through the API can copy our metadata.
        return (await self._slack.identity()).wrote(message)

    async def _save(self) -> None:
        await self._save_state(self.state)


def plain(message: Message) -> Message:
    """The same without blocks, and short: for a Slack that refuses them."""
    text = message.text
    if len(text) > PLAIN_TEXT_LIMIT:
        # An escaped character must not be cut in two.
        text = re.sub(r"&\w{0,4}$", "", text[:PLAIN_TEXT_LIMIT]) + " …"
    return Message(text)
