"""Who asked for which session, when, where, and what came of it: in the store, and in the thread."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path

import pytest
from conftest import ADA, BOB, EVE, Start, Workspace, audit_log, until

from bot.app import Running
from bot.errors import Unreachable
from bot.scalingo.models import App
from bot.standin.scalingo import ScalingoStandin
from bot.store.trail import Step

SECURITY = Path(__file__).parents[1] / "SECURITY.md"


async def steps(bot: Running, count: int, channel: str = "") -> list[Step]:
    """The oldest first, once there are so many."""

    async def there() -> bool:
        return len(await bot.parts.store.trail(100)) >= count

    await until(there)
    found = [step for step in reversed(await bot.parts.store.trail(100)) if channel in {"", step.channel}]
    assert len(found) == count
    return found


async def told(slack: Workspace, count: int) -> str:
    return (await slack.told(count=count))[-1].text


async def test_every_ask_and_what_came_of_it(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    event = scalingo.ran("bash", app="shop", by=ADA, log=audit_log("x"))
    log_id, key = event["type_data"]["audit_log_id"], f"osc-fr1/{event['app_id']}/{event['id']}"
    ada, eve, ops = slack.user_id(ADA), slack.user_id(EVE), slack.channel_id("ops")
    asked_at = bot.parts.now
    await slack.types("/auditlog shop last")
    await slack.thread()
    await steps(bot, 1)
    for number, line in enumerate(
        (
            f"/auditlog shop {log_id}",
            "/auditlog shop",
            "/auditlog shop 5d2c0000000000000000ffff",
            "/auditlog subscribe shop",
            "/auditlog subscriptions",
            "/auditlog unsubscribe shop",
            "/auditlog unsubscribe shop",
        ),
        start=2,
    ):
        await slack.types(line)
        await steps(bot, number)
    await slack.types(f"/auditlog shop {log_id}", user=EVE)
    trail = await steps(bot, 9)
    assert [(step.who, step.action, step.app, step.session, step.outcome) for step in trail] == [
        (ada, "ask", "shop", key, "posted"),
        (ada, "read_one", "shop", key, "already here"),
        (ada, "list_sessions", "shop", "", "listed"),
        (ada, "read_one", "shop", "5d2c0000000000000000ffff", "refused: Gone"),
        (ada, "subscribe", "shop", "", "subscribed"),
        (ada, "subscriptions", "", "", "listed"),
        (ada, "unsubscribe", "shop", "", "unsubscribed"),
        (ada, "unsubscribe", "shop", "", "refused: BadInput"),
        (eve, "read_one", "shop", log_id, "refused: NotYours"),
    ]
    assert {(step.region, step.channel) for step in trail} <= {("osc-fr1", ops), ("", ops)}
    assert all(asked_at <= step.at <= bot.parts.now for step in trail)


async def test_the_thread_says_for_whom_it_was_posted(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    scalingo.ran("bash", app="shop", by=BOB, log=audit_log("x"))
    await slack.types("/auditlog shop last")
    _, commands, _ = await slack.thread()
    assert f"transcript posted for <@{slack.user_id(ADA)}>" in commands.text


async def test_what_is_kept_for_a_channel_is_in_the_trail_and_then_what_came_of_it(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=audit_log("x"))
    slack.channel("away", bot=False)
    await slack.types("/auditlog shop last", channel="away")
    await steps(bot, 1)
    await slack.invites("away")
    await slack.thread("away")
    assert [step.outcome for step in await steps(bot, 2)] == ["held: not_in_channel", "posted"]


async def test_what_comes_by_subscription_is_for_whoever_subscribed(
    start: Start, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    bot = await start(POLL_EVERY_S="0.2")
    await slack.types("/auditlog subscribe shop")
    await slack.told()
    scalingo.ran("bash", app="shop", by=BOB, log=audit_log("x"))
    await slack.thread()
    _, step = await steps(bot, 2)
    assert (step.who, step.action, step.outcome) == (slack.user_id(ADA), "subscription", "posted")


@pytest.mark.parametrize("line", ["/auditlog shop last", "/auditlog shop", "/auditlog subscribe shop"])
async def test_a_shared_channel_is_refused_and_that_is_written_down(
    line: str, bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    slack.channel("partners", shared=True)
    await slack.types(line, channel="partners")
    (step,) = await steps(bot, 1)
    assert (step.channel, step.outcome) == (slack.channel_id("partners"), "refused: SharedChannel")


async def test_nothing_of_a_session_is_said_where_nobody_knows_who_may_see_it(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scalingo is away for all of the 72 hours: what is given up then was never allowed."""
    scalingo.ran("rake hush:hush", app="shop", by=ADA, log=audit_log("x"))
    allowed, asked = bot.parts.access.app_for, []

    async def once(user: str, region: str, app: str) -> App:
        asked.append(app)
        if len(asked) > 1:
            raise Unreachable("Scalingo does not answer.")
        return await allowed(user, region, app)

    monkeypatch.setattr(bot.parts.access, "app_for", once)
    monkeypatch.setattr("bot.jobs.waits.KEPT_S", 0.0)
    await slack.types("/auditlog shop last")
    (step,) = await steps(bot, 1)
    assert (step.action, step.outcome) == ("ask", "failed")
    assert "does not answer" in await told(slack, 1)
    assert await slack.threads() == []


async def test_an_operator_reads_the_trail_as_security_md_says(bot: Running, slack: Workspace, tmp_path: Path) -> None:
    await slack.types("/auditlog my-app last", user=EVE)
    await steps(bot, 1)
    (query,) = re.findall(r"```sql\n(.*?)```", SECURITY.read_text(), re.DOTALL)
    with contextlib.closing(sqlite3.connect(tmp_path / "bot.sqlite")) as database:
        ((at, *row),) = database.execute(query.replace("to_timestamp(at)", "datetime(at, 'unixepoch')"))
    assert at.startswith("20")
    who, channel = slack.user_id(EVE), slack.channel_id("ops")
    assert row == [who, channel, "osc-fr1", "my-app", "", "read_last", "refused: NotYours"]
