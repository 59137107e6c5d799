"""The bot as processes of its own: killed between any two calls, two on one database, and the database gone. Soak has the rest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from postgres import server
from serving import House, Trap, free_port, until

pytestmark = pytest.mark.processes


async def test_killed_at_three_points_of_a_thread(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.start()
        await house.subscribe()
        events = []
        for call in ("chat.postMessage", "upload", "files.completeUploadExternal"):
            trap = Trap(call, house.bot.kill)
            house.slack.traps.append(trap)
            events.append(house.ran(f"killed at {call}"))
            await house.restart()
            assert trap.sprung
        await house.settled(events, quiet_s=0.5)
        await until(lambda: owes_nothing(house))


async def test_what_was_acknowledged_is_answered_after_a_kill(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.start()
        event = house.ran("bash")
        house.scalingo.traps.append(Trap("GET *collaborators", house.bot.kill, "before"))
        ack = await house.slack.types("/auditlog shop last")
        assert ack.status == 200
        await house.restart()
        await house.settled([event], quiet_s=0.2)
        await until(lambda: owes_nothing(house))


async def test_two_on_one_database_and_the_database_away(tmp_path: Path) -> None:
    postgres = server()
    async with House(tmp_path, DATABASE_URL=postgres.database()) as house:
        await asyncio.gather(house.start(), house.start(PORT=str(free_port())))
        await house.subscribe()
        events = [house.ran("both see it") for _ in range(2)]
        await asyncio.gather(*(house.scalingo.fire(event) for event in events))
        await house.settled(events, quiet_s=0.5)
        await asyncio.to_thread(postgres.stop)
        await until(lambda: has_health(house, 503))
        assert "database" in (await house.slack.types("/auditlog shop last")).body
        events.append(house.ran("meanwhile"))
        await asyncio.to_thread(postgres.start)
        await until(lambda: has_health(house, 200))
        await house.settled(events, quiet_s=0.5)


async def test_told_to_stop_it_stops_with_status_0_and_another_goes_on(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.start()
        await house.subscribe()
        trap = Trap("chat.postMessage", lambda: None)
        house.slack.traps.append(trap)
        events = [house.ran(f"task {number}") for number in range(3)]
        await until(lambda: is_sprung(trap))
        status, seconds = await house.bot.stop()
        assert status == 0
        assert seconds < 10
        await house.start()
        await house.settled(events, quiet_s=0.2)


async def owes_nothing(house: House) -> bool:
    return await house.metric("owed") == 0


async def has_health(house: House, status: int) -> bool:
    return await house.health() == status


async def is_sprung(trap: Trap) -> bool:
    return trap.sprung
