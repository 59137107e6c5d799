"""The bot as it really runs: processes of its own, between a Slack and a Scalingo in this one, which may kill it at any call."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, Self

from aiohttp import ClientError, ClientSession, web
from emulate import Emulated, Emulator

from bot.slack.thread import COMMANDS_EVENT, PARENT_EVENT
from bot.standin.door import Json
from bot.standin.people import People
from bot.standin.scalingo import Handler, ScalingoStandin
from bot.standin.slack import SlackStandin

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "bot" / "standin" / "sample-audit-log.json"
READY_WITHIN_S = 60.0


@dataclass(eq=False)
class Trap:
    """Springs at the `nth` call that `pattern` matches: before the work is done (and it never is), or after."""

    pattern: str
    act: Callable[[], None]
    when: Literal["before", "after"] = "after"
    nth: int = 1
    met: int = 0
    sprung: bool = False

    def meets(self, call: str, when: str) -> bool:
        if self.sprung or when != self.when or not fnmatchcase(call, self.pattern):
            return False
        self.met += 1
        self.sprung = self.met == self.nth
        if self.sprung:
            self.act()
        return self.sprung


class Trapped:
    """What Slack and Scalingo have in common here: traps, and a list of all calls in their order."""

    def __init__(self) -> None:
        self.traps: list[Trap] = []
        self.made: list[str] = []

    def springs(self, call: str, when: str) -> bool:
        if when == "before":
            self.made.append(call)
        return bool([trap for trap in self.traps if trap.meets(call, when)])


class TrappedSlack(Trapped, SlackStandin):
    def __init__(self, **how: Any) -> None:
        Trapped.__init__(self)
        SlackStandin.__init__(self, **how)

    async def _served(self, request: web.Request, method: str, arguments: Json) -> web.Response:
        if self.springs(method, "before"):
            return web.Response(status=500)
        response = await super()._served(request, method, arguments)
        self.springs(method, "after")
        return response

    async def _response(self, request: web.Request) -> web.Response:
        if self.springs("respond", "before"):
            return web.Response(status=500)
        response = await super()._response(request)
        self.springs("respond", "after")
        return response


class TrappedScalingo(Trapped, ScalingoStandin):
    def __init__(self, **how: Any) -> None:
        Trapped.__init__(self)
        ScalingoStandin.__init__(self, **how)

    async def _strict(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        call = f"{request.method} {request.path}"
        if self.springs(call, "before"):
            return web.Response(status=500)
        response = await super()._strict(request, handler)
        self.springs(call, "after")
        return response


def free_port() -> int:
    """Below those that the system hands out by itself: between a kill and a restart nobody else gets it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class Process:
    """`python -m bot serve` or `worker`, its log in a file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @classmethod
    async def start(cls, environment: dict[str, str], log: Path, *, command: str = "serve") -> Self:
        """Returns as soon as it says that it is ready; raises AssertionError where it ends instead."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                command,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=kept | environment,
                cwd=ROOT,
            )
        assert process.stdout is not None
        async with asyncio.timeout(READY_WITHIN_S):
            said = await process.stdout.readline()
        if not said:
            await process.wait()
        started = cls(process, log)
        assert said, f"{command} ended with {process.returncode}: {started.told()}"
        return started

    def told(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-2000:]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        return self._process.returncode

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)

    async def gone(self) -> None:
        await self._process.wait()

    async def stop(self) -> tuple[int, float]:
        """As a platform asks it to; its exit status, and how long it took."""
        began = time.monotonic()
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        status = await self._process.wait()
        return status, time.monotonic() - began


class House:
    """A channel `ops`, an app `shop` of Ada's, and one bot for it, that can be killed and started again."""

    def __init__(
        self, folder: Path, *, slack: People | None = None, scalingo: TrappedScalingo | None = None, **variables: str
    ) -> None:
        self.folder = folder
        self.slack: Any = slack or TrappedSlack()
        self.scalingo = scalingo or TrappedScalingo()
        self.port = free_port()
        self.variables = variables
        self.processes: list[Process] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if not self.slack.url:
            await self._stack.enter_async_context(self.slack)
        await self._stack.enter_async_context(self.scalingo)
        self.slack.channel("ops")
        for email in (ADA, BOB, EVE):
            self.slack.person(email)
        self.scalingo.app("shop", owner=ADA)
        self.slack.app_url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            await process.gone()
        await self._stack.aclose()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bot(self) -> Process:
        return self.processes[-1]

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": self.slack.api_url,
            "SCALINGO_API_TOKEN": self.scalingo.token,
            "SCALINGO_API_URL": self.scalingo.url,
            "SCALINGO_AUTH_URL": self.scalingo.auth_url,
            "SCALINGO_RATE_LIMIT": "6000",
            "POLL_EVERY_S": "0.5",
            "DATABASE_URL": f"sqlite:///{self.folder / 'bot.sqlite'}",
            "PUBLIC_URL": self.url,
            "PORT": str(self.port),
            "METRICS_TOKEN": "m" * 20,
            **self.variables,
            **more,
        }

    async def start(self, *, command: str = "serve", **more: str) -> Process:
        process = await Process.start(self.environment(**more), self.folder / "bot.log", command=command)
        self.processes.append(process)
        return process

    async def restart(self, **more: str) -> Process:
        """After a kill, which need not have come yet."""
        await self.bot.gone()
        return await self.start(**more)

    async def subscribe(self, app: str = "shop", *, channel: str = "ops", user: str = ADA) -> str:
        before = len(self.slack.ephemerals(user))
        await self.slack.types(f"/auditlog subscribe {app}", channel=channel, user=user)
        return str((await self.slack.told(user, count=before + 1, within_s=20))[-1].text)

    def ran(self, command: str, *, app: str = "shop", log: Any = SAMPLE, **more: Any) -> Json:
        return self.scalingo.ran(command, app=app, by=ADA, log=log, **more)

    async def health(self, port: int | None = None) -> int:
        """0 where nobody answers."""
        try:
            async with ClientSession() as http, http.get(f"http://127.0.0.1:{port or self.port}/healthz") as answer:
                return answer.status
        except ClientError:
            return 0

    async def metric(self, name: str) -> float:
        headers = {"Authorization": "Bearer " + "m" * 20}
        async with ClientSession() as http, http.get(f"{self.url}/metrics", headers=headers) as answer:
            lines = (await answer.text()).splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))

    async def settled(
        self,
        events: list[Json],
        *,
        channels: tuple[str, ...] = ("ops",),
        within_s: float = 60.0,
        quiet_s: float = 1.0,
        every_s: float = 0.1,
    ) -> float:
        """Waits until each event has its whole thread in each channel; then nothing more may come. Gives the seconds it took.

        Raises AssertionError that says what is missing, or there twice.
        """
        began = time.monotonic()
        while wrong := await self._wrong(events, channels):
            if time.monotonic() - began > within_s:
                raise AssertionError(f"after {within_s:.0f} s: {wrong}")
            await asyncio.sleep(every_s)
        took = time.monotonic() - began
        await asyncio.sleep(quiet_s)
        wrong = await self._wrong(events, channels)
        assert not wrong, f"then: {wrong}"
        return took

    async def _wrong(self, events: list[Json], channels: tuple[str, ...]) -> str:
        faults = []
        for channel in channels:
            counted = await counts(self.slack, channel)
            wanted = {event["id"] for event in events}
            faults += [
                f"{channel}: {event_id} has {dict(counted.get(event_id, {}))}"
                for event_id in sorted(wanted)
                if counted.get(event_id) != {"parent": 1, "commands": 1, "file": 1}
            ]
            faults += [f"{channel}: {event_id} was not asked for" for event_id in sorted(set(counted) - wanted)]
        return "; ".join(faults[:4]) + (f" and {len(faults) - 4} more" if len(faults) > 4 else "")


async def counts(slack: People, channel: str) -> dict[str, Counter[str]]:
    """By event id: its parents, replies and files in the channel."""
    messages = await slack.messages(channel)
    found: dict[str, Counter[str]] = {}
    of_thread: dict[str, str] = {}
    for message in messages:
        metadata = message.get("metadata") or {}
        if metadata.get("event_type") == PARENT_EVENT:
            event_id = of_thread[message["ts"]] = metadata["event_payload"]["key"].split("/")[2].partition("#")[0]
            found.setdefault(event_id, Counter())["parent"] += 1
    for message in messages:
        event_id = of_thread.get(message.get("thread_ts", ""), "")
        if not event_id or message["ts"] == message["thread_ts"]:
            continue
        is_commands = (message.get("metadata") or {}).get("event_type") == COMMANDS_EVENT
        kind = "commands" if is_commands else "file" if message.get("files") else "something else"
        found[event_id][kind] += len(message["files"]) if kind == "file" else 1
    return found


async def until(happened: Callable[[], Awaitable[bool]], within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while not await happened():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def emulated() -> AsyncIterator[Emulated]:
    """The npm package in the place of our own stand-in; `why_not()` says why there may be none."""
    emulator = Emulator()
    await asyncio.to_thread(emulator.start)
    try:
        async with Emulated(emulator) as slack:
            yield slack
    finally:
        emulator.stop()
