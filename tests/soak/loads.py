"""Much at once: 200 events in a channel that takes one message a second, a log of 122 MB, a slow one before a small one."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from measuring import Sizes, acknowledged
from serving import SAMPLE, House, TrappedSlack

from .scenario import Setting, scenario


@scenario("200-events-at-once", within_s=900)
async def many(setting: Setting) -> str:
    slack = TrappedSlack(seconds_a_message=1.0)
    async with House(setting.folder, slack=slack, POLL_EVERY_S="2") as house:
        house.slack.channel("quiet")
        house.scalingo.app("small", owner="ada@example.com")
        await house.start()
        await house.subscribe()
        await house.subscribe("small", channel="quiet")
        events = [house.ran(f"task {n}") for n in range(200)]
        await asyncio.gather(*(house.scalingo.fire(event) for event in events))
        await asyncio.sleep(5)
        alone = house.ran("alone", app="small")
        began = time.monotonic()
        await house.settled([alone], channels=("quiet",), within_s=60)
        other = time.monotonic() - began
        async with Sizes(house.processes) as sizes:
            took = await house.settled(events, within_s=700)
        limited = sum(call.status == 429 for call in house.slack.calls)
        return (
            f"200 threads in {took:.0f} s (2 messages each, 1 a second), {limited} answers 429; another channel's session "
            f"meanwhile in {other:.1f} s; peak {sizes.peak_mb:.0f} MB"
        )


@scenario("slow-and-huge-do-not-hold-up-the-others", within_s=300)
async def lanes(setting: Setting) -> str:
    async with House(setting.folder) as house:
        house.slack.channel("quiet")
        house.scalingo.app("small", owner="ada@example.com")
        await house.start()
        await house.subscribe()
        await house.subscribe("small", channel="quiet")
        slow = [house.ran(f"slow {n}") for n in range(14)]
        for event in slow:
            house.scalingo.fail(f"*/audit_logs/{event['type_data']['audit_log_id']}", "slow", seconds=25)
        await asyncio.sleep(3)
        house.ran("small", app="small", log=SAMPLE)
        small = house.scalingo.apps[-1].events[-1]
        took = await house.settled([small], channels=("quiet",), within_s=20)
        await house.settled(slow, within_s=120)
        return f"a small session beside 14 that take 25 s each: {took:.1f} s"


@scenario("huge-log", within_s=600)
async def huge(setting: Setting) -> str:
    if setting.log is None:
        return "left out: --log FILE names none"
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        event = house.ran("huge", log=setting.log, at=datetime.now(UTC) - timedelta(minutes=1))
        async with Sizes(house.processes) as sizes:
            began = time.monotonic()
            acks = asyncio.create_task(acknowledged(house, every_s=0.1))
            await house.settled([event], within_s=400)
            took = time.monotonic() - began
            acks.cancel()
            seconds = await acks
        slowest = max(seconds)
        assert sizes.peak_mb < 256, f"{sizes.peak_mb:.0f} MB"
        assert slowest < 0.25, f"slowest ack {1000 * slowest:.0f} ms"
        return (
            f"{setting.log.stat().st_size:,} bytes in {took:.1f} s, {len(seconds)} acks meanwhile, slowest "
            f"{1000 * slowest:.0f} ms, peak {sizes.peak_mb:.0f} MB"
        )
