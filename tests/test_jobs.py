"""What the jobs do when things go wrong between two of their steps: nothing is lost, nothing is said twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ADA, BOB, EVE, SAMPLE, Start, until
from test_following import FAST, owed_nothing, subscribed, whole_threads

from bot.app import Running
from bot.errors import StoreDown
from bot.jobs.crowd import Crowd
from bot.jobs.deliver import Deliver
from bot.jobs.follow import Follow
from bot.jobs.names import Names
from bot.jobs.notices import Notices
from bot.jobs.parts import Parts
from bot.jobs.watch import Watch
from bot.standin.scalingo import ScalingoStandin
from bot.standin.slack import SlackStandin

DAY_S = 86_400.0


@pytest.fixture
async def slack() -> Any:
    async with SlackStandin() as slack:
        slack.channel("ops")
        for email in (ADA, BOB, EVE):
            slack.person(email)
        yield slack


@pytest.fixture
def public_url(unused_tcp_port: int) -> str:
    return f"http://127.0.0.1:{unused_tcp_port}"


def later(parts: Parts, seconds: float) -> Parts:
    clock: Callable[[], float] = parts.clock
    return replace(parts, clock=lambda: clock() + seconds)


async def test_a_second_subscription_takes_nothing_from_the_first(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    await start(POLL_EVERY_S="3600")
    slack.channel("security")
    await subscribed(slack)
    scalingo.ran("between an event and its poll", app="shop", by=ADA, log=SAMPLE)
    await subscribed(slack, channel="security")
    await whole_threads(slack, 1)
    assert await slack.threads("security") == []


async def test_an_ask_whose_delivery_is_done_is_done(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await start()
    store, failures = bot.parts.store, [True]
    finish = store.finish_ask

    async def finish_ask(*arguments: Any) -> None:
        if failures.pop() if failures else False:
            raise StoreDown("The database went away at this very moment.")
        await finish(*arguments)

    monkeypatch.setattr(store, "finish_ask", finish_ask)
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await slack.types("/auditlog shop last")
    await slack.thread()
    await until(lambda: _no(failures))
    for kind, row_id in await store.owed(bot.parts.now + 3600, 10):
        assert kind == "ask"
        await store.postpone_ask(row_id, 0.0, "")
        await bot.parts.queue.put("answer", str(row_id))
    await until(lambda: owed_nothing(bot))
    assert len(await slack.threads()) == 1


async def _no(failures: list[bool]) -> bool:
    return not failures


async def test_whoever_asks_where_the_bot_is_not_is_told_so_also_where_a_subscription_waits(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    await start(**FAST)
    await subscribed(slack)
    slack.removes_bot()
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await asyncio.sleep(0.6)
    await slack.types("/auditlog shop last")
    assert "invite me" in (await slack.told(count=2))[-1].text
    await slack.invites()
    await whole_threads(slack, 1)


async def test_an_app_renamed_while_its_session_waits_keeps_its_subscription(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.waits._NOT_READY_S", (0.5,))
    bot = await start(**FAST)
    await subscribed(slack)
    event = scalingo.ran("bash", app="shop", by=ADA, log=None)
    await slack.thread(wait_for=1)
    scalingo.rename("shop", "boutique")
    scalingo.app("shop", owner=EVE)
    # Somebody asked a moment ago, when it still had its old name.
    bot.parts.names.learn("osc-fr1", event["app_id"], "shop", bot.parts.now)
    scalingo.log(event, SAMPLE)
    await whole_threads(slack, 1)
    assert len(await bot.parts.store.subscriptions()) == 1


@pytest.mark.parametrize("pattern", ["*/events", "*/apps/shop"])
async def test_one_404_ends_no_subscription(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, pattern: str
) -> None:
    bot = await start(**FAST)
    await subscribed(slack)
    bot.parts.names.doubt("osc-fr1", scalingo.apps[0].id)
    fault = scalingo.fail(pattern, 404, times=2)
    await until(lambda: _struck(fault))
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await whole_threads(slack, 1)
    assert len(await slack.threads()) == 1


async def _struck(fault: Any) -> bool:
    return bool(fault.struck)


async def weekly(parts: Parts) -> None:
    await Follow(parts, Watch(parts)).weekly()
    await Notices(parts).pay()


async def subscribed_long_ago(parts: Parts, scalingo: ScalingoStandin, channel: str) -> None:
    await parts.store.subscribe(
        "osc-fr1", scalingo.apps[0].id, app_name="shop", channel=channel, user="U1", now=parts.now - 30 * DAY_S
    )


@pytest.mark.parametrize("what", ["lost", "reset", 500, "none"])
async def test_the_weekly_message_comes_once_whatever_becomes_of_its_answer(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, what: Any
) -> None:
    bot = await start()
    await subscribed_long_ago(bot.parts, scalingo, slack.channel_id("ops"))
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    if what != "none":
        slack.fail("chat.postMessage", what)
    for minutes in range(3):
        await weekly(later(bot.parts, 61.0 * minutes))
    (said,) = [thread[0].text for thread in await slack.threads() if "run event" in thread[0].text]
    assert "1 run event" in said


async def test_a_store_that_was_lost_says_the_weekly_message_no_second_time(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, tmp_path: Path
) -> None:
    for store in ("one", "two"):
        bot = await start(DATABASE_URL=f"sqlite:///{tmp_path}/{store}.sqlite")
        await subscribed_long_ago(bot.parts, scalingo, slack.channel_id("ops"))
        await weekly(bot.parts)
    assert len(await slack.threads()) == 1


async def test_a_subscription_that_ends_is_said_although_slack_was_away(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    bot = await start(**FAST)
    await subscribed(slack)
    slack.fail("chat.postMessage", "reset", times=1)
    scalingo.remove("shop")
    await until(lambda: _none_left(bot))
    await asyncio.sleep(0.2)
    await Notices(later(bot.parts, 61)).pay()
    (said,) = await slack.thread(wait_for=1)
    assert "deleted" in said.text
    assert "/auditlog subscribe" not in said.text


async def _none_left(bot: Running) -> bool:
    return not await bot.parts.store.subscriptions()


async def test_a_notifier_that_could_not_be_removed_is_removed_later(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, public_url: str
) -> None:
    bot = await start(PUBLIC_URL=public_url)
    await subscribed(slack)
    fault = scalingo.fail("DELETE */notifiers/*", 403, times=None)
    await slack.types("/auditlog unsubscribe shop")
    await slack.told(count=2)
    assert fault.struck
    assert len(scalingo.notifiers("shop")) == 1
    scalingo.heal()
    await Follow(bot.parts, Watch(bot.parts)).notifiers()
    assert scalingo.notifiers("shop") == []


async def test_an_emptied_store_is_healed_beside_an_app_that_refuses_and_counts_what_it_finds(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, public_url: str, tmp_path: Path
) -> None:
    variables = {"PUBLIC_URL": public_url, **FAST}
    await start(DATABASE_URL=f"sqlite:///{tmp_path}/one.sqlite", **variables)
    await asyncio.sleep(1.1)
    await subscribed(slack)
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await whole_threads(slack, 1)
    await start.stop()
    scalingo.app("another", owner=EVE)
    scalingo.apps.reverse()
    scalingo.fail("GET */apps/another/notifiers", 403, times=None)
    bot = await start(DATABASE_URL=f"sqlite:///{tmp_path}/two.sqlite", **variables)

    async def read() -> bool:
        states = await bot.parts.store.session_states(
            "osc-fr1", scalingo.apps[1].id, [scalingo.apps[1].events[0]["id"]]
        )
        return list(states.values()) == ["read"]

    await until(read)
    assert [len(each) for each in await slack.threads()] == [3]


async def test_an_emptied_store_gives_each_channel_what_another_one_asked_for_first(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, public_url: str, tmp_path: Path
) -> None:
    slack.channel("security")
    await start(DATABASE_URL=f"sqlite:///{tmp_path}/one.sqlite", PUBLIC_URL=public_url)
    await asyncio.sleep(1.1)
    await subscribed(slack, channel="security")
    await start.stop()
    await asyncio.sleep(1.1)
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    away = scalingo.fail("GET */v1/apps", 500, times=None)
    await start(DATABASE_URL=f"sqlite:///{tmp_path}/two.sqlite", PUBLIC_URL=public_url)
    await slack.types("/auditlog shop last")
    await whole_threads(slack, 1)
    assert away.struck
    scalingo.heal()
    bot = await start(DATABASE_URL=f"sqlite:///{tmp_path}/two.sqlite", PUBLIC_URL=public_url)
    await whole_threads(slack, 1, "security")
    await until(lambda: owed_nothing(bot))


async def test_a_session_asked_for_is_found_again_by_an_emptied_store(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, tmp_path: Path
) -> None:
    await start(DATABASE_URL=f"sqlite:///{tmp_path}/one.sqlite")
    event = scalingo.ran("bash", app="shop", by=ADA, log=None)
    await slack.types("/auditlog shop last")
    await slack.thread(wait_for=1)
    await start.stop()
    scalingo.log(event, SAMPLE)
    bot = await start(DATABASE_URL=f"sqlite:///{tmp_path}/two.sqlite")
    # Anything asked for in the channel has it looked through.
    scalingo.ran("other", app="shop", by=ADA, log=SAMPLE, at=datetime.now(UTC) + timedelta(seconds=1))
    await slack.types("/auditlog shop last")
    await until(lambda: _all_whole(slack, 2))
    await until(lambda: owed_nothing(bot))


async def _all_whole(slack: SlackStandin, count: int) -> bool:
    return [len(each) for each in await slack.threads()] == [3] * count


async def test_a_region_that_knows_no_account_of_ours_is_in_nobodys_way(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, public_url: str, tmp_path: Path
) -> None:
    variables = {"PUBLIC_URL": public_url, **FAST}
    await start(DATABASE_URL=f"sqlite:///{tmp_path}/one.sqlite", **variables)
    await subscribed(slack)
    await start.stop()
    scalingo.regions.insert(0, "osc-secnum-fr1")
    scalingo.fail("GET /regions/osc-secnum-fr1/*", 403, times=None)
    bot = await start(DATABASE_URL=f"sqlite:///{tmp_path}/two.sqlite", **variables)
    await until(lambda: _one_again(bot))


async def _one_again(bot: Running) -> bool:
    return len(await bot.parts.store.subscriptions()) == 1


async def test_after_days_away_all_that_ran_meanwhile_comes(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    bot = await start(POLL_EVERY_S="3600")
    app, store, now = scalingo.apps[0], bot.parts.store, bot.parts.now
    # The first of them had come before the bot went away.
    for hours in (200, 110, 100, 80, 1):
        scalingo.ran(f"{hours} h ago", app="shop", by=ADA, log=SAMPLE, at=datetime.now(UTC) - timedelta(hours=hours))
    for number in range(60):
        scalingo.happened("deploy", app="shop", at=datetime.now(UTC) - timedelta(hours=60, minutes=number))
    await store.subscribe(
        "osc-fr1",
        app.id,
        app_name="shop",
        channel=slack.channel_id("ops"),
        user=slack.user_id(ADA),
        now=now - 9 * DAY_S,
    )
    await store.poll_done("osc-fr1", app.id, now - 5 * DAY_S)
    await whole_threads(slack, 4)


async def test_many_hints_cost_few_requests(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, public_url: str
) -> None:
    await start(PUBLIC_URL=public_url, POLL_EVERY_S="3600")
    await subscribed(slack)
    event = scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    before = len(scalingo.asked("GET */events"))
    hints = [{**event, "id": f"{number:024x}"} for number in range(60)]
    await asyncio.gather(*(scalingo.fire(hint) for hint in hints))
    await whole_threads(slack, 1)
    assert len(scalingo.asked("GET */events")) - before <= 6


async def test_what_a_closed_channel_did_not_take_in_72_hours_is_said_to_whoever_it_was_for(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    bot = await start(**FAST)
    await subscribed(slack)
    slack.removes_bot()
    scalingo.ran("secret task", app="shop", by=ADA, log=SAMPLE)
    await until(lambda: _held(bot))
    parts = later(bot.parts, 3 * DAY_S + 600)
    for row_id in await parts.store.release_held(slack.channel_id("ops"), 0.0):
        await Deliver(parts, Watch(parts))(str(row_id))
    (said,) = await slack.thread(f"with-{slack.user_id(ADA)}", wait_for=1)
    assert "72 hours" in said.text
    assert "secret" not in str(said.raw)
    assert (await bot.parts.store.count_deliveries()) == {"expired": 1}


async def _held(bot: Running) -> bool:
    return (await bot.parts.store.owed_stats(bot.parts.now)).held == 1


async def test_work_stops_when_its_lease_is_anothers(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.jobs.parts.LEASE_S", 0.3)
    bot = await start()
    ask = await bot.parts.store.add_ask(
        "k", "help", {}, user="U", channel="C", response_url="", now=bot.parts.now + 3600
    )
    assert ask is not None
    mine, theirs = later(bot.parts, 3600), later(replace(bot.parts, owner="another"), 3600)

    async def work() -> None:
        async with mine.leased_ask(ask.id) as leased:
            assert leased is not None
            # This process stood still for longer than the lease, and another took the row.
            assert await theirs.store.claim("ask", ask.id, theirs.owner, theirs.now + 10) is not None
            await asyncio.sleep(5)

    with pytest.raises(asyncio.CancelledError):
        await work()


def test_a_crowd_lets_the_waiting_in_one_by_one() -> None:
    crowd = Crowd()
    assert [crowd.enters("ops", row_id, 2) for row_id in (1, 2, 3, 4, 3)] == [True, True, False, False, False]
    assert crowd.enters("security", 5, 2)
    assert crowd.leaves("ops") == 3
    assert crowd.enters("ops", 3, 2)
    assert [crowd.leaves("ops"), crowd.leaves("ops"), crowd.leaves("security")] == [4, None, None]


async def test_names_learnt_together_are_not_asked_for_together(start: Start, scalingo: ScalingoStandin) -> None:
    bot = await start()
    names = Names(bot.parts.scalingo)
    before = len(scalingo.requests)
    for number in range(50):
        assert await names.present("osc-fr1", f"id-{number}", "shop", 0.0) == "shop"
    assert len(scalingo.requests) == before
    assert len({until for _, until in names._known.values()}) > 40
