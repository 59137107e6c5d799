"""Subscriptions: whatever Scalingo lists comes to the channels by itself, once, whichever way it was heard of."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from conftest import ADA, BOB, SAMPLE, Start, Workspace, audit_log, until

from bot.app import Running
from bot.slack.pace import Pace
from bot.standin.scalingo import ScalingoStandin

FAST = {"POLL_EVERY_S": "0.2"}


async def whole_threads(slack: Workspace, count: int, channel: str = "ops", within_s: float = 20) -> None:
    async def there() -> bool:
        return sum(len(each) == 3 for each in await slack.threads(channel)) == count

    await until(there, within_s)


async def owed_nothing(bot: Running) -> bool:
    return (await bot.parts.store.owed_stats(bot.parts.now)).count == 0


async def subscribed(slack: Workspace, app: str = "shop", channel: str = "ops", user: str = ADA) -> str:
    before = len(slack.ephemerals(user))
    await slack.types(f"/auditlog subscribe {app}", channel=channel, user=user)
    return (await slack.told(user, count=before + 1))[-1].text


@pytest.fixture
def public_url(unused_tcp_port: int) -> str:
    return f"http://127.0.0.1:{unused_tcp_port}"


async def test_a_run_event_comes_by_webhook(
    start: Start, slack: Workspace, scalingo: ScalingoStandin, public_url: str
) -> None:
    await start(PUBLIC_URL=public_url, POLL_EVERY_S="3600")
    scalingo.ran("before", app="shop", by=ADA, log=SAMPLE)
    assert "now gets every new session" in await subscribed(slack)
    (notifier,) = scalingo.notifiers("shop")
    assert notifier["type_data"]["webhook_url"].startswith(f"{public_url}/scalingo/")
    event = scalingo.ran("rails console", app="shop", by=ADA, log=SAMPLE)
    assert set(await scalingo.fire(event)) == {204}
    await scalingo.fire(event)
    await whole_threads(slack, 1)
    parent, commands, _ = await slack.thread()
    assert "rails console" in parent.text
    assert "this channel's subscription" in commands.text
    await asyncio.sleep(0.3)
    assert len(await slack.threads()) == 1


async def test_polling_finds_what_no_webhook_told(start: Start, slack: Workspace, scalingo: ScalingoStandin) -> None:
    await start(**FAST)
    slack.channel("security")
    await subscribed(slack)
    await subscribed(slack, channel="security")
    for number in range(3):
        scalingo.ran(f"task {number}", app="shop", by=ADA, log=audit_log(f"out {number}"))
    await whole_threads(slack, 3)
    await whole_threads(slack, 3, "security")


async def test_a_webhook_that_was_not_made_here_is_not_there(
    start: Start, slack: Workspace, scalingo: ScalingoStandin, public_url: str
) -> None:
    bot = await start(PUBLIC_URL=public_url)
    await subscribed(slack)
    requests = len(scalingo.requests)
    event = {"id": "abc", "type": "run", "app_id": "x"}
    async with ClientSession() as http:
        for path, body, status in (
            ("/scalingo/x", json.dumps(event), 404),
            ("/scalingo/" + "A" * 60, json.dumps(event), 404),
            ("/scalingo/", json.dumps(event), 404),
        ):
            async with http.post(str(bot.address) + path, data=body) as answer:
                assert answer.status == status
        good = f"{bot.address}/{scalingo.notifiers('shop')[0]['type_data']['webhook_url'].split('/', 3)[3]}"
        for body, status in (("{", 400), ("[]", 400), ('{"id": "../x"}', 400), ("x" * 600_000, 413)):
            async with http.post(good, data=body.encode()) as answer:
                assert answer.status == status
        async with http.post(good, data=json.dumps(event)) as answer:
            assert answer.status == 204
    await asyncio.sleep(0.3)
    assert await slack.threads() == []
    assert len(scalingo.requests) <= requests + 3


async def test_one_notifier_an_app_found_again_repaired_and_removed(
    start: Start, slack: Workspace, scalingo: ScalingoStandin, public_url: str
) -> None:
    await start(PUBLIC_URL=public_url)
    slack.channel("security")
    await subscribed(slack)
    await subscribed(slack, channel="security")
    (notifier,) = scalingo.notifiers("shop")
    notifier["active"] = False
    await subscribed(slack)
    (notifier,) = scalingo.notifiers("shop")
    assert notifier["active"]
    await slack.types("/auditlog unsubscribe shop")
    await slack.told(count=4)
    assert len(scalingo.notifiers("shop")) == 1
    await slack.types("/auditlog unsubscribe shop", channel="security")
    assert "no longer gets" in (await slack.told(count=5))[-1].text
    assert scalingo.notifiers("shop") == []


async def test_a_lost_answer_makes_no_second_notifier(
    start: Start, slack: Workspace, scalingo: ScalingoStandin, public_url: str
) -> None:
    await start(PUBLIC_URL=public_url)
    scalingo.fail("POST */notifiers", "lost", times=1)
    await subscribed(slack)
    assert len(scalingo.notifiers("shop")) == 1


async def test_a_renamed_app_stays_subscribed(start: Start, slack: Workspace, scalingo: ScalingoStandin) -> None:
    await start(**FAST)
    await subscribed(slack)
    scalingo.rename("shop", "boutique")
    scalingo.app("shop", owner=BOB)
    scalingo.ran("other", app="shop", by=BOB, log=SAMPLE)
    scalingo.ran("mine", app="boutique", by=ADA, log=SAMPLE)
    await whole_threads(slack, 1)
    parent, *_ = await slack.thread()
    assert "boutique" in parent.text
    assert "mine" in parent.text


async def test_a_deleted_app_is_said_in_the_channel(start: Start, slack: Workspace, scalingo: ScalingoStandin) -> None:
    await start(**FAST)
    await subscribed(slack)
    scalingo.remove("shop")
    (said,) = await slack.thread(wait_for=1)
    assert "no more sessions of shop" in said.text.replace("`", "")
    await slack.types("/auditlog subscriptions")
    assert "no subscription" in (await slack.told(count=2))[-1].text


async def test_whoever_lost_the_right_gets_nothing_and_the_channel_hears_why(
    start: Start, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    bot = await start(**FAST)
    right = scalingo.collaborator("shop", BOB)
    await subscribed(slack, user=BOB)
    right["is_limited"] = True
    bot.parts.access.forget("osc-fr1", "shop", slack.user_id(BOB))
    scalingo.ran("secret task", app="shop", by=ADA, log=SAMPLE)
    (said,) = await slack.thread(wait_for=1)
    assert "may no longer read" in said.text
    assert "secret task" not in json.dumps(said.raw)


async def test_a_channel_that_became_shared_hears_no_more(
    start: Start, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    bot = await start(**FAST)
    await subscribed(slack)
    slack.channel("ops", shared=True)
    bot.parts.slack.forget_channel(slack.channel_id("ops"))
    scalingo.ran("secret task", app="shop", by=ADA, log=SAMPLE)
    (said,) = await slack.thread(wait_for=1)
    assert "another company" in said.text
    assert "secret" not in json.dumps(said.raw)


async def test_an_emptied_store_finds_its_subscriptions_and_its_threads(
    start: Start, slack: Workspace, scalingo: ScalingoStandin, public_url: str, tmp_path: Path
) -> None:
    variables = {"PUBLIC_URL": public_url, **FAST}
    await start(DATABASE_URL=f"sqlite:///{tmp_path}/one.sqlite", **variables)
    scalingo.ran("before", app="shop", by=ADA, log=SAMPLE, at=datetime.now(UTC) - timedelta(hours=30))
    await asyncio.sleep(1.1)
    await subscribed(slack)
    await asyncio.sleep(1.1)
    scalingo.ran("first", app="shop", by=ADA, log=SAMPLE)
    await whole_threads(slack, 1)
    await start.stop()
    scalingo.ran("second", app="shop", by=ADA, log=SAMPLE)
    await start(DATABASE_URL=f"sqlite:///{tmp_path}/two.sqlite", **variables)
    await whole_threads(slack, 2)
    scalingo.ran("third", app="shop", by=ADA, log=SAMPLE)
    await whole_threads(slack, 3)
    await asyncio.sleep(0.5)
    assert [len(each) for each in await slack.threads()] == [3, 3, 3]
    said = [thread[0].text for thread in await slack.threads()]
    assert not any("before" in each for each in said)


async def test_a_session_that_still_runs_is_a_parent_and_then_a_thread(
    start: Start, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    await start(**FAST)
    await subscribed(slack)
    event = scalingo.ran("bash", app="shop", by=ADA, log=None)
    (parent,) = await slack.thread(wait_for=1)
    assert "running" in parent.text
    scalingo.log(event, SAMPLE)
    await whole_threads(slack, 1)
    (thread,) = await slack.threads()
    assert "running" not in thread[0].text


async def test_a_log_that_has_grown_brings_its_thread_up_to_date(
    start: Start, slack: Workspace, scalingo: ScalingoStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.deliver._FIRST_RECHECK_S", 0.2)
    monkeypatch.setattr("bot.jobs.sweep.SWEEP_EVERY_S", 0.2)
    await start(**FAST)
    await subscribed(slack)
    now = datetime.now(UTC)
    event = scalingo.ran("bash", app="shop", by=ADA, log=audit_log("one", typed=("ls",), at=now))
    await whole_threads(slack, 1)
    scalingo.log(event, audit_log("one", "two", typed=("ls", "exit"), at=now))

    async def updated() -> bool:
        thread = (await slack.threads())[0]
        return any(b"two" in content for post in thread for content in post.files.values())

    await until(updated)

    async def tidy() -> bool:
        return [len(each) for each in await slack.threads()] == [3]

    await until(tidy)
    (parent, commands, _), *_ = await slack.threads()
    assert "2 commands" in parent.text
    assert "exit" in commands.text


async def test_subscriptions_say_whether_a_session_is_missing(
    start: Start, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    bot = await start(**FAST)
    await subscribed(slack)
    for number in range(2):
        scalingo.ran(f"task {number}", app="shop", by=ADA, log=SAMPLE)
    await whole_threads(slack, 2)
    await until(lambda: owed_nothing(bot))
    await slack.types("/auditlog subscriptions")
    told = (await slack.told(count=2))[-1]
    assert "2 run events, 2 read, 0 without a log" in told.text
    slack.channel("other")
    await slack.types("/auditlog subscriptions", channel="other")
    assert "no subscription" in (await slack.told(count=3))[-1].text


async def test_only_who_may_read_or_subscribed_it_unsubscribes(
    start: Start, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    await start()
    await subscribed(slack)
    await slack.types("/auditlog unsubscribe shop", user=BOB)
    assert "There is no app" in (await slack.told(BOB))[-1].text
    scalingo.app("other", owner=ADA)
    await slack.types("/auditlog unsubscribe other")
    assert "is not subscribed" in (await slack.told(count=2))[-1].text


async def test_health_and_metrics(start: Start, slack: Workspace, scalingo: ScalingoStandin) -> None:
    bot = await start(METRICS_TOKEN="m" * 20, **FAST)
    await subscribed(slack)
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await whole_threads(slack, 1)
    await until(lambda: owed_nothing(bot))
    async with ClientSession() as http:
        async with http.get(f"{bot.address}/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})
        async with http.get(f"{bot.address}/metrics") as answer:
            assert answer.status == 401
        async with http.get(f"{bot.address}/metrics", headers={"Authorization": "Bearer " + "m" * 20}) as answer:
            text = await answer.text()
        assert "sessions_seen_total 1.0" in text
        assert "sessions_posted_total 1.0" in text
        assert 'requests_total{api="scalingo",status="200"}' in text
        assert "owed 0.0" in text


async def test_many_events_at_once(start: Start, slack: Workspace, scalingo: ScalingoStandin) -> None:
    bot = await start(**FAST)
    bot.parts.slack._pace = Pace(every_s=0.01)
    await subscribed(slack)
    for number in range(12):
        scalingo.ran(f"task {number}", app="shop", by=ADA, log=audit_log(f"out {number}"))
    await whole_threads(slack, 12, within_s=60)
    said = {thread[0].text.splitlines()[0] for thread in await slack.threads()}
    assert said == {f"shop: ada ran task {number}" for number in range(12)}
