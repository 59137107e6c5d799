"""kill -9 at chosen and at random calls of a session's way; SIGTERM in the middle of it; always a restart after."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Literal

from emulate import why_not
from serving import House, Trap, emulated

from .scenario import Setting, scenario

CHOSEN: tuple[tuple[str, str, Literal["before", "after"]], ...] = (
    ("slack", "chat.postMessage", "before"),
    ("slack", "chat.postMessage", "after"),
    ("slack", "files.getUploadURLExternal", "after"),
    ("slack", "upload", "before"),
    ("slack", "upload", "after"),
    ("slack", "files.completeUploadExternal", "before"),
    ("slack", "files.completeUploadExternal", "after"),
    ("scalingo", "GET *audit_logs*", "after"),
    ("scalingo", "GET *collaborators", "after"),
    ("slack", "conversations.info", "after"),
)


async def killed_at(house: House, where: str, call: str, when: Literal["before", "after"], nth: int = 1) -> None:
    """One asked for, two that come by themselves; the process dies at the call, and another takes its place."""
    await house.start()
    await house.subscribe()
    await house.bot.stop()
    side: Any = house.slack if where == "slack" else house.scalingo
    await house.start()
    trap = Trap(call, house.bot.kill, when, nth)
    side.traps.append(trap)
    events = [house.ran(f"task {number}") for number in range(2)]
    ack = await house.slack.types("/auditlog shop last")
    if ack.status != 200:
        assert house.bot.status is not None, ack
    async with asyncio.timeout(20):
        while not trap.sprung:
            await asyncio.sleep(0.02)
    await house.restart()
    await house.settled(events)
    assert await house.metric("owed") == 0, "something is owed still"


@scenario("kill-9-at-ten-chosen-points", within_s=600)
async def chosen(setting: Setting) -> str:
    for number, (where, call, when) in enumerate(CHOSEN):
        folder = setting.folder / str(number)
        folder.mkdir()
        async with House(folder) as house:
            try:
                await killed_at(house, where, call, when)
            except (AssertionError, TimeoutError) as wrong:
                raise AssertionError(f"{when} {call}: {wrong!r}\n{house.bot.told()}") from None
    return f"{len(CHOSEN)} points"


@scenario("kill-9-at-ten-random-points", within_s=600)
async def at_random(setting: Setting) -> str:
    seed = random.randrange(10_000)
    dice = random.Random(seed)
    for number in range(10):
        folder = setting.folder / str(number)
        folder.mkdir()
        async with House(folder) as house:
            await house.start()
            await house.subscribe()
            events = [house.ran(f"task {each}") for each in range(3)]
            await house.slack.types("/auditlog shop last")
            for _ in range(2):
                await asyncio.sleep(dice.uniform(0, 2.5))
                house.bot.kill()
                await house.restart()
            try:
                await house.settled(events)
            except AssertionError as wrong:
                raise AssertionError(f"seed {seed}, round {number}: {wrong}") from None
            assert await house.metric("owed") == 0, "something is owed still"
    return f"20 kills in 10 rounds, seed {seed}"


@scenario("kill-9-against-emulate", within_s=300)
async def other_slack(setting: Setting) -> str:
    if why_not():
        return f"left out: {why_not()}"
    dice = random.Random(5)
    async with emulated() as slack, House(setting.folder, slack=slack) as house:
        await house.start()
        await house.subscribe()
        events = []
        for number in range(5):
            events += [house.ran(f"task {number} {each}") for each in range(2)]
            await asyncio.sleep(dice.uniform(0, 2))
            house.bot.kill()
            await house.restart()
        took = await house.settled(events)
        return f"5 kills, 10 sessions, threads {took:.1f} s after the last"


@scenario("kill-9-of-every-kind-of-request", within_s=600)
async def asks(setting: Setting) -> str:
    """What was acknowledged is answered, whatever it was."""
    lines = {
        "/auditlog shop": "GET *events",
        "/auditlog shop last": "GET *events",
        "/auditlog shop nope-nope": "GET *events",
        "/auditlog nobodys-app": "GET *nobodys-app",
        "/auditlog subscribe shop": "POST */notifiers",
        "/auditlog unsubscribe other": "POST *never*",
    }
    answered = []
    for number, (line, call) in enumerate(lines.items()):
        folder = setting.folder / str(number)
        folder.mkdir()
        async with House(folder) as house:
            await house.start()
            event = house.ran("task")
            house.scalingo.traps.append(Trap(call, house.bot.kill, "after"))
            ack = await house.slack.types(line)
            assert ack.status == 200, (line, ack)
            await asyncio.sleep(1)
            house.bot.kill()
            await house.restart()
            if line.endswith("last"):
                await house.settled([event])
            else:
                heard = await house.slack.told(within_s=20)
                answered.append(heard[0].text.splitlines()[0][:40])
                await asyncio.sleep(0.5)
            assert await house.metric("owed") == 0, line
    return f"{len(lines)} requests: {answered}"


@scenario("sigterm-in-the-middle", within_s=240)
async def stopped(setting: Setting) -> str:
    seconds = []
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        events = [house.ran(f"task {each}") for each in range(8)]
        slow = house.ran("slow")
        house.scalingo.fail(f"*/audit_logs/{slow['type_data']['audit_log_id']}", "slow", seconds=25, times=2)
        for pause in (0.3, 1.0, 2.5):
            await asyncio.sleep(pause)
            status, took = await house.bot.stop()
            assert status == 0, f"status {status}"
            seconds.append(took)
            await house.start()
        assert max(seconds) < 10, seconds
        took = await house.settled([*events, slow], within_s=90)
        return f"stopped in {', '.join(f'{each:.1f}' for each in seconds)} s, status 0; threads {took:.1f} s later"
