"""The thread against the npm package `emulate`: another reading of Slack's documentation than the stand-in's."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from delivering import READY, WAITING, Bot, Row
from emulate import Emulated, Emulator, why_not
from pydantic import SecretStr

from bot.errors import CannotPost, ThreadGone
from bot.slack.api import Slack
from bot.slack.pace import Pace
from bot.standin.faults import Kind

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    pytest.mark.asyncio(loop_scope="module"),
]

channels = (f"ops-{number}" for number in itertools.count())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def emulated(emulator: Emulator) -> AsyncIterator[Emulated]:
    async with Emulated(emulator) as emulated:
        yield emulated


@pytest_asyncio.fixture(loop_scope="module")
async def bot(emulated: Emulated, tmp_path: Path) -> AsyncIterator[Bot]:
    slack = Slack(token=SecretStr(emulated.token), api_url=emulated.api_url, pace=Pace(every_s=0.001))
    path = tmp_path / "transcript.txt"
    path.write_bytes(b"$ ls\nbin\n$ exit\n")
    bot = Bot(emulated, slack, path, channel=next(channels))
    emulated.channel(bot.channel)
    yield bot
    emulated.heal()
    await slack.aclose()


async def test_a_thread(bot: Bot) -> None:
    await bot.deliver()
    await bot.check()


@pytest.mark.parametrize("what", ["lost", "reset", 500, 429])
@pytest.mark.parametrize("nth", range(1, 7))
async def test_any_answer_goes_wrong(bot: Bot, nth: int, what: int | Kind) -> None:
    bot.workspace.fail("*", what, every=nth, retry_after_s=0)
    assert await bot.deliver_until_done() <= 2
    await bot.check()


@pytest.mark.parametrize("dies_at", range(1, 8))
async def test_killed_at_any_write(bot: Bot, dies_at: int) -> None:
    bot.row.dies_at, bot.row.written = dies_at, False
    await bot.deliver_until_done()
    await bot.check()


async def test_an_emptied_store_and_a_log_that_has_grown(bot: Bot) -> None:
    await bot.deliver()
    bot.row = Row()
    bot.path.write_bytes(b"$ ls\nbin\n$ make\n$ exit\n")
    await bot.deliver(look_first=True, changed=True)
    await bot.check()


async def test_a_private_channel_that_the_bot_is_not_in(bot: Bot, emulated: Emulated) -> None:
    private = emulated.channel("private", private=True, bot=False)
    with pytest.raises(CannotPost):
        await bot.slack.channel(private.id)
    with pytest.raises(CannotPost):
        await bot.slack.post(private.id, READY)


async def test_thrown_out_and_back(bot: Bot, emulated: Emulated) -> None:
    emulated.removes_bot(bot.channel)
    with pytest.raises(CannotPost):
        await bot.deliver()
    emulated.channel(bot.channel)
    await bot.deliver()
    await bot.check()


async def test_a_parent_that_a_person_deletes_is_not_posted_again(bot: Bot, emulated: Emulated) -> None:
    thread = bot.thread()
    await thread.parent(WAITING)
    emulated.deletes(thread.state.parent_ts or "", bot.channel)
    with pytest.raises(ThreadGone):
        await thread.parent(READY)


async def test_people_and_channels(bot: Bot, emulated: Emulated) -> None:
    ada = await bot.slack.person(emulated.user_id("ada@example.com"))
    assert (ada.email, ada.is_foreign, ada.is_guest) == ("ada@example.com", False, False)
    shared = await bot.slack.channel(emulated.channel("with-others", shared=True).id)
    assert shared.is_member
    assert shared.is_shared
