"""The whole bot between a Slack and a Scalingo, all on loopback; every test of a conversation starts here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from emulate import Emulated, Emulator, why_not

from bot import log
from bot.app import Running, running
from bot.settings import Settings
from bot.standin.scalingo import ScalingoStandin
from bot.standin.slack import SlackStandin

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
SAMPLE = Path(__file__).parents[1] / "bot" / "standin" / "sample-audit-log.json"

log.configure(as_json=False)


# Either Slack: the one that we wrote, and the one that we did not. Both are driven by the same words.
Workspace = SlackStandin | Emulated


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    if why_not():
        pytest.skip(why_not())
    emulator = Emulator()
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture(params=["standin", "emulate"])
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[Workspace]:
    theirs = request.param == "emulate"
    async with Emulated(request.getfixturevalue("emulator")) if theirs else SlackStandin() as slack:
        slack.channel("ops")
        for email in (ADA, BOB, EVE):
            slack.person(email)
        yield slack


@pytest.fixture
async def scalingo() -> AsyncIterator[ScalingoStandin]:
    async with ScalingoStandin() as scalingo:
        scalingo.app("shop", owner=ADA)
        yield scalingo


def environment(slack: Workspace, scalingo: ScalingoStandin, folder: Path, **more: str) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "SCALINGO_API_TOKEN": scalingo.token,
        "SCALINGO_API_URL": scalingo.url,
        "SCALINGO_AUTH_URL": scalingo.auth_url,
        "SCALINGO_RATE_LIMIT": "6000",
        "DATABASE_URL": f"sqlite:///{folder / 'bot.sqlite'}",
        **more,
    }


class Start:
    """Starts the bot with whatever variables are given; `stop` ends it, a second start ends the first."""

    def __init__(self, slack: Workspace, scalingo: ScalingoStandin, folder: Path) -> None:
        self._slack, self._scalingo, self._folder = slack, scalingo, folder
        self._stack = AsyncExitStack()

    async def __call__(self, **variables: str) -> Running:
        await self.stop()
        settings = Settings.from_environment(environment(self._slack, self._scalingo, self._folder, **variables))
        port = urlsplit(variables.get("PUBLIC_URL", "")).port or 0
        bot = await self._stack.enter_async_context(running(settings.model_copy(update={"port": port})))
        self._slack.app_url = str(bot.address)
        return bot

    async def stop(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def start(slack: Workspace, scalingo: ScalingoStandin, tmp_path: Path) -> AsyncIterator[Start]:
    start = Start(slack, scalingo, tmp_path)
    yield start
    await start.stop()


@pytest.fixture
async def bot(start: Start) -> Running:
    return await start()


async def until(happened: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not await happened():
            await asyncio.sleep(0.02)


def audit_log(*lines: str, typed: tuple[str, ...] = (), at: datetime | None = None) -> bytes:
    """A log as the line recorder writes it: a shell with each of `typed`, then `lines` of output."""
    at = at or datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    records = []

    def record(content: str, kind: str) -> None:
        nonlocal at
        at += timedelta(seconds=1)
        records.append({"time": at.isoformat(), "content": content, "type": kind})

    for command in typed:
        record("~ $ \n", "output")
        record(f"{command}\n", "input")
        record(f"\x1b[K~ $ {command}\n", "output")
    for line in lines:
        record(f"{line}\n", "output")
    return json.dumps(records).encode()
