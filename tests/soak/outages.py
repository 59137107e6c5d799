"""429, 500, resets and lost answers on every call of a session's way, one after the other; services that are away for a while."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from serving import House, until

from bot.standin.faults import Kind

from .scenario import Play, Setting, scenario

OF_SLACK = (
    "conversations.info",
    "users.info",
    "conversations.history",
    "conversations.replies",
    "chat.postMessage",
    "chat.update",
    "files.getUploadURLExternal",
    "upload",
    "files.completeUploadExternal",
    "files.info",
)
OF_SCALINGO = (
    "*/tokens/exchange",
    "GET */v1/regions",
    "GET */v1/apps",
    "GET */v1/apps/shop",
    "GET */collaborators",
    "GET */events",
    "GET */audit_logs/*",
    "GET */notifiers",
    "POST */notifiers",
    "PATCH */notifiers/*",
    "POST */notifiers/*/test",
    "GET */event_types",
    "GET */notification_platforms/*",
)
FAULTS: tuple[int | Kind, ...] = ("lost", "reset", 500, 429)


async def each(setting: Setting, calls: tuple[str, ...], what: int | Kind, *, of_slack: bool) -> str:
    """A bot that knows nothing yet for each call, so that every one of the way is made."""
    seconds, struck = [], 0
    for number, call in enumerate(calls):
        folder = setting.folder / str(number)
        folder.mkdir()
        async with House(folder) as house:
            side: Any = house.slack if of_slack else house.scalingo
            fault = side.fail(call, what, times=1 if "notifiers" in call else 2)
            try:
                seconds.append(await _two_sessions(house))
                if "notifiers" in call:
                    # Polling finds everything meanwhile.
                    await until(lambda: has_one_notifier(house), within_s=90)
            except (AssertionError, TimeoutError) as wrong:
                raise AssertionError(f"{call}: {wrong!r}") from None
            assert await has_one_notifier(house), f"{call}: notifiers"
            struck += fault.struck
    return f"{len(calls)} calls, struck {struck} times; slowest thread {max(seconds):.1f} s"


async def _two_sessions(house: House) -> float:
    """One that is over, one that still runs; the seconds until both threads are whole."""
    await house.start()
    assert "gets every" in await house.subscribe()
    events = [house.ran("one"), house.ran("two", log=None)]
    await asyncio.sleep(1.5)
    house.scalingo.log(events[1], _some_log())
    return await house.settled(events, within_s=60, quiet_s=0.5)


async def has_one_notifier(house: House) -> bool:
    return len(house.scalingo.notifiers("shop")) == 1


def _some_log() -> bytes:
    return b'[{"time":"2026-11-23T09:00:00Z","content":"~ $ ls\\n","type":"output"}]'


def _plays(calls: tuple[str, ...], what: int | Kind, *, of_slack: bool) -> Play:
    return lambda setting: each(setting, calls, what, of_slack=of_slack)


for fault in FAULTS:
    scenario(f"{fault}-on-every-call-of-slack", within_s=400)(_plays(OF_SLACK, fault, of_slack=True))
    scenario(f"{fault}-on-every-call-of-scalingo", within_s=600)(_plays(OF_SCALINGO, fault, of_slack=False))


@scenario("start-while-slack-and-scalingo-are-down")
async def start_without(setting: Setting) -> str:
    async with House(setting.folder) as house:
        slack_down = house.slack.fail("*", "reset", times=None)
        scalingo_down = house.scalingo.fail("*", "reset", times=None)
        began = time.monotonic()
        await house.start()
        ready = time.monotonic() - began
        assert ready < 55
        event = house.ran("task")
        ack = await house.slack.types("/auditlog shop last")
        assert ack.status == 200, ack
        await asyncio.sleep(2)
        assert slack_down.struck
        assert scalingo_down.struck
        house.slack.heal()
        house.scalingo.heal()
        took = await house.settled([event])
        return f"ready after {ready:.1f} s without either, the thread {took:.1f} s after both were back"


@scenario("scalingo-away-and-back", within_s=240)
async def scalingo_away(setting: Setting) -> str:
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        assert await house.health() == 200
        house.scalingo.fail("*", 500, times=None)
        event = house.ran("task")
        began = time.monotonic()
        await until(lambda: _is(house, 503), within_s=100)
        gone = time.monotonic() - began
        house.scalingo.heal()
        took = await house.settled([event])
        await until(lambda: _is(house, 200), within_s=30)
        return f"503 after {gone:.1f} s, 200 again; thread {took:.1f} s after it was back"


@scenario("slack-away-and-back", within_s=240)
async def slack_away(setting: Setting) -> str:
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        house.slack.fail("*", "reset", times=None)
        events = [house.ran(f"task {n}") for n in range(3)]
        await asyncio.sleep(15)
        house.slack.heal()
        return f"threads {await house.settled(events):.1f} s after it was back"


async def _is(house: House, status: int) -> bool:
    return await house.health() == status
