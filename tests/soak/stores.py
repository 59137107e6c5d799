"""Several processes on one PostgreSQL, one of them killed; a database that goes and comes back; a store that was emptied."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from postgres import server
from serving import House, free_port, until

from .scenario import Setting, scenario


@scenario("postgresql-two-serve-one-worker-one-killed", within_s=400)
async def several(setting: Setting) -> str:
    async with House(setting.folder, DATABASE_URL=server().database()) as house:
        port = free_port()
        await asyncio.gather(
            house.start(), house.start(PORT=str(port)), house.start(command="worker", PORT=str(free_port()))
        )
        await house.subscribe()
        events = [house.ran(f"task {n}") for n in range(8)]
        await asyncio.gather(*(house.scalingo.fire(event) for event in events))
        await asyncio.sleep(2.5)
        killed = random.choice(house.processes[1:])
        killed.kill()
        events += [house.ran(f"after {n}") for n in range(4)]
        took = await house.settled(events, within_s=120, quiet_s=20)
        assert await house.metric("owed") == 0
        return f"12 sessions, once each, {took:.1f} s after one was killed"


@scenario("postgresql-gone-and-back", within_s=300)
async def gone(setting: Setting) -> str:
    postgres = server()
    async with House(setting.folder, DATABASE_URL=postgres.database()) as house:
        await house.start()
        await house.subscribe()
        events = [house.ran(f"task {n}") for n in range(4)]
        await asyncio.sleep(1.0)
        await asyncio.to_thread(postgres.stop)
        began = time.monotonic()
        await until(lambda: _is(house, 503))
        unhealthy = time.monotonic() - began
        ack = await house.slack.types("/auditlog shop last")
        assert "database" in ack.body, ack
        events += [house.ran("meanwhile")]
        await asyncio.sleep(8)
        await asyncio.to_thread(postgres.start)
        began = time.monotonic()
        await until(lambda: _is(house, 200), within_s=30)
        healthy = time.monotonic() - began
        took = await house.settled(events, within_s=120)
        return f"503 after {unhealthy:.1f} s, 200 {healthy:.1f} s after it was back, threads {took:.1f} s later"


@scenario("start-while-postgresql-is-down", within_s=120)
async def start_without(setting: Setting) -> str:
    postgres = server()
    async with House(setting.folder, DATABASE_URL=postgres.database()) as house:
        await asyncio.to_thread(postgres.stop)
        starting = asyncio.create_task(house.start())
        await asyncio.sleep(6)
        assert not starting.done()
        await asyncio.to_thread(postgres.start)
        began = time.monotonic()
        await starting
        took = time.monotonic() - began
        event = house.ran("task")
        await house.slack.types("/auditlog shop last")
        await house.settled([event])
        return f"ready {took:.1f} s after the database was"


@scenario("emptied-store", within_s=240)
async def emptied(setting: Setting) -> str:
    async with House(setting.folder, DATABASE_URL=f"sqlite:///{setting.folder}/one.sqlite") as house:
        house.slack.channel("security")
        await house.start()
        before = house.ran("before anybody subscribed")
        await asyncio.sleep(1.2)
        await house.subscribe()
        await house.subscribe(channel="security")
        await asyncio.sleep(1.2)
        events = [house.ran(f"task {n}") for n in range(4)]
        await house.settled(events[:0] + events, channels=("ops", "security"))
        half = house.ran("half")
        async with asyncio.timeout(20):
            while not any("half" in thread[0].text for thread in await house.slack.threads()):
                await asyncio.sleep(0.01)
        house.bot.kill()
        await house.bot.gone()
        events += [half, house.ran("while away")]
        await house.start(DATABASE_URL=f"sqlite:///{setting.folder}/two.sqlite")
        took = await house.settled(events, channels=("ops", "security"), quiet_s=3)
        assert before["id"] not in {event["id"] for event in events}
        assert await house.metric("owed") == 0
        await house.slack.types("/auditlog subscriptions")
        said = (await house.slack.told(count=3))[-1].text
        return f"two subscriptions found again, 6 sessions once each, {took:.1f} s; {said.splitlines()[-1]}"


@scenario("two-containers-on-sqlite", within_s=240)
async def deploy(setting: Setting) -> str:
    """As on a deploy at Scalingo without PostgreSQL: old and new side by side, each with a disk of its own."""
    there: dict[str, Any] = {"APP": "audit", "REGION_NAME": "osc-fr1", "CONTAINER": "web-1"}
    async with House(setting.folder, **there) as house:
        await house.start()
        await house.subscribe()
        first = house.ran("first")
        await house.settled([first])
        new = {"PORT": str(free_port()), "DATABASE_URL": f"sqlite:///{setting.folder}/new.sqlite"}
        await house.start(**new)
        await asyncio.sleep(2)
        events = [first]
        for number in range(6):
            events.append(house.ran(f"beside {number}"))
            await asyncio.sleep(0.6)
        took = await house.settled(events, within_s=100, quiet_s=10)
        return f"7 sessions seen by both, once each, {took:.1f} s"


async def _is(house: House, status: int) -> bool:
    return await house.health() == status
