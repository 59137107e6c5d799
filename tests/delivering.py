"""Delivers a thread as the jobs do, in processes that die when a test says so."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from emulate import Emulated

from bot.errors import Retryable
from bot.slack.api import Slack
from bot.slack.message import Message
from bot.slack.thread import Thread, ThreadState
from bot.standin.slack import SlackStandin

NAME = "shop-2026-11-23-1727-ev1.txt"


def section(text: str) -> Message:
    return Message(text, [{"type": "section", "text": {"type": "mrkdwn", "text": text}}])


WAITING, READY, COMMANDS = section("shop: running"), section("shop: 2 commands"), section("ls, exit")


class Killed(BaseException):
    """The process is gone: nothing that catches exceptions catches this."""


@dataclass
class Row:
    """What the store holds; the process dies at the n-th write, with the row written or not."""

    state: ThreadState = field(default_factory=ThreadState)
    writes: int = 0
    dies_at: int | None = None
    written: bool = True

    async def save(self, state: ThreadState) -> None:
        self.writes += 1
        dying = self.writes == self.dies_at
        if self.written or not dying:
            self.state = copy.copy(state)
        if dying:
            raise Killed


@dataclass
class Bot:
    """Each `deliver` is a fresh process with the row as it was saved."""

    workspace: SlackStandin | Emulated
    slack: Slack
    path: Path
    row: Row = field(default_factory=Row)
    channel: str = "ops"

    def thread(self, *, look_first: bool = False, beside_others: bool = False) -> Thread:
        ops, key, state = self.workspace.channel_id(self.channel), "osc-fr1/app/ev1", copy.copy(self.row.state)
        return Thread(self.slack, ops, key, state, self.row.save, look_first=look_first, beside_others=beside_others)

    async def deliver(self, *, look_first: bool = False, beside_others: bool = False, changed: bool = False) -> None:
        thread = self.thread(look_first=look_first, beside_others=beside_others)
        await thread.parent(WAITING)
        await thread.parent(READY)
        await thread.commands(COMMANDS)
        await thread.transcript(self.path, NAME, "Transcript", changed=changed)

    async def deliver_until_done(self, *, look_first: bool = False, changed: bool = False) -> int:
        """How many processes it took."""
        for tries in range(1, 10):
            try:
                await self.deliver(look_first=look_first, changed=changed)
            except (Killed, Retryable):
                continue
            return tries
        pytest.fail("never done")

    async def check(self, content: bytes | None = None) -> None:
        [[parent, commands, transcript]] = await self.workspace.threads(self.channel)
        assert (parent.text, commands.text) == ("shop: 2 commands", "ls, exit")
        assert transcript.files == {NAME: self.path.read_bytes() if content is None else content}
