"""Signed requests in, what Slack was told out: the bot as people meet it."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from conftest import ADA, BOB, EVE, SAMPLE, Start, Workspace, audit_log, until

from bot.app import Running
from bot.standin.scalingo import ScalingoStandin


async def test_the_sample_lands_in_a_thread(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    event = scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    ack = await slack.types(f"/auditlog shop {event['type_data']['audit_log_id']}")
    assert (ack.status, ack.body) == (200, "")
    parent, commands, transcript = await slack.thread()
    assert "shop" in parent.text
    assert "ada" in parent.text
    assert "bash" in parent.text
    assert "2 commands" in parent.text
    assert "dashboard.scalingo.com/apps/osc-fr1/shop/activity" in json.dumps(parent.raw["blocks"])
    assert 'echo "TEST"' in commands.text
    assert "exit" in commands.text
    ((name, content),) = transcript.files.items()
    assert name.startswith("shop-")
    assert b'$ echo "TEST"\nTEST\n' in content
    assert content.startswith(b"You are in a one-off container.")
    assert b"\x1b" not in content
    assert slack.ephemerals(standing=True) == []


async def test_the_last_session_is_the_newest(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    now = datetime.now(UTC)
    scalingo.ran("bash", app="shop", by=ADA, log=audit_log("old"), at=now - timedelta(hours=2))
    scalingo.ran("rails console", app="shop", by=ADA, log=audit_log("new"), at=now - timedelta(hours=1))
    await slack.types("/auditlog shop last")
    parent, _, transcript = await slack.thread()
    assert "rails console" in parent.text
    assert next(iter(transcript.files.values())) == b"new\n"


async def test_the_list_has_a_button_for_each_session(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    for number in range(12):
        scalingo.ran(f"bash {number}", app="shop", by=ADA, log=audit_log(f"out {number}"))
    await slack.types("/auditlog shop")
    (told,) = await slack.told()
    assert json.dumps(told.raw["blocks"]).count('"button"') == 10
    assert "bash 11" in told.text
    assert "bash 1\n" not in told.text
    await slack.presses("read_session", within=told)
    parent, *_ = await slack.thread()
    assert "bash 11" in parent.text


async def test_whoever_presses_a_button_needs_the_right_himself(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await slack.types("/auditlog shop")
    (told,) = await slack.told()
    await slack.presses("read_session", user=EVE, within=told)
    (refused,) = await slack.told(EVE)
    assert "no app `shop`" in refused.text or "no app shop" in refused.text
    assert await slack.threads() == []


async def test_a_forged_button_is_refused(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await slack.types("/auditlog shop")
    (told,) = await slack.told()
    for value in ("", "x", '{"app":"shop"}', told.raw["blocks"][1]["accessory"]["value"][:-2] + "AA"):
        await slack.presses("read_session", within=told, value=value)
    heard = await slack.told(count=5)
    assert all("not one of ours" in each.text for each in heard[1:])
    assert await slack.threads() == []


@pytest.mark.parametrize("who", ["stranger", "pending", "limited", "hidden", "guest", "foreign"])
async def test_who_may_not_read(who: str, bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    slack.person(BOB, guest=who == "guest", foreign=who == "foreign")
    if who != "stranger":
        scalingo.collaborator(
            "shop", BOB, status="pending" if who == "pending" else "accepted", is_limited=who == "limited"
        )
    if who == "hidden":
        slack.person(None, name="bob")
    await slack.types("/auditlog shop last", user="bob" if who == "hidden" else BOB)
    (told,) = await slack.told("bob" if who == "hidden" else BOB)
    assert told.text
    await slack.types("/auditlog no-such-app last", user="bob" if who == "hidden" else BOB)
    _, unknown = await slack.told("bob" if who == "hidden" else BOB, count=2)
    assert unknown.text.replace("no-such-app", "shop") == told.text
    assert await slack.threads() == []


async def test_a_collaborator_reads_by_his_address_whatever_its_case(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    scalingo.collaborator("shop", "Bob@Example.COM")
    await slack.types("/auditlog shop last", user=BOB)
    assert len(await slack.thread()) == 3


async def test_asked_for_again_one_gets_the_way_to_the_thread(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await slack.types("/auditlog shop last")
    await slack.thread()
    await slack.types("/auditlog shop last")
    (told,) = await slack.told()
    assert "in this channel already" in told.text
    assert len(await slack.threads()) == 1
    await slack.presses("post_again", within=told)
    await slack.presses("post_again", within=told)
    await slack.told(count=2)

    async def twice() -> bool:
        return [len(each) for each in await slack.threads()] == [3, 3]

    await until(twice)


async def test_a_channel_without_the_bot_gets_its_session_when_it_comes(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    for name, private in (("public", False), ("private", True)):
        slack.channel(name, private=private, bot=False)
        await slack.types("/auditlog shop last", channel=name)
        told = (await slack.told(count=1 + private))[-1]
        assert "invite" in told.text
        assert "72 hours" in told.text
        assert await slack.threads(name) == []
        await slack.invites(name)
        assert len(await slack.thread(name)) == 3


async def test_a_shared_channel_gets_no_session(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    slack.channel("partners", shared=True)
    for line in ("/auditlog shop last", "/auditlog shop", "/auditlog subscribe shop"):
        await slack.types(line, channel="partners")
    for told in await slack.told(count=3):
        assert "shared with another company" in told.text
    assert await slack.threads("partners") == []


async def test_a_log_that_is_not_there_yet_is_waited_for(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    event = scalingo.ran("bash", app="shop", by=ADA, log=None)
    await slack.types("/auditlog shop last")
    (parent,) = await slack.thread(wait_for=1)
    assert "follows" in parent.text
    scalingo.log(event, SAMPLE)
    parent, _, _ = await slack.thread(within_s=20)
    assert "2 commands" in parent.text
    assert len(await slack.threads()) == 1


async def test_a_long_way_is_told_to_the_person_alone_and_the_telling_goes(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.progress.FIRST_AFTER_S", 0.1)
    monkeypatch.setattr("bot.jobs.progress._UPDATE_EVERY_S", 0.3)
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    scalingo.fail("*/audit_logs/*", "slow", seconds=1.0)
    await slack.types("/auditlog shop last")
    assert len(await slack.thread()) == 3
    told = slack.ephemerals()
    assert len(told) >= 2
    assert all("on its way" in each.text for each in told)

    async def gone() -> bool:
        return slack.ephemerals(standing=True) == []

    await until(gone)


async def test_an_unknown_id_is_refused(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await slack.types("/auditlog shop 5d2c0000000000000000ffff")
    (told,) = await slack.told()
    assert "5d2c0000000000000000ffff" in told.text
    assert await slack.threads() == []


@pytest.mark.parametrize(
    "typed", ["../../etc/passwd x", "shop ../../etc/passwd", "x" * 5000, "shop last now", "-a", "SHOP last"]
)
async def test_what_is_malformed_never_reaches_scalingo(
    typed: str, bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    before = len(scalingo.requests)
    ack = await slack.types(f"/auditlog {typed}")
    assert ack.status == 200
    assert ack.json["response_type"] == "ephemeral"
    assert "/auditlog" in ack.json["text"] or "`" in ack.json["text"]
    await asyncio.sleep(0.05)
    assert len(scalingo.requests) == before


async def test_help(bot: Running, slack: Workspace) -> None:
    for line in ("/auditlog", "/auditlog help"):
        assert "/auditlog subscribe my-app" in (await slack.types(line)).json["text"]


async def test_forged_and_stale_requests_are_refused(bot: Running, slack: Workspace) -> None:
    body, form = b"command=/auditlog&text=help", "application/x-www-form-urlencoded"
    assert (await slack.send(body, form, secret="another")).status == 401
    assert (await slack.send(body, form, at="1000000000")).status == 401
    assert (await slack.send(body, form, at="soon")).status == 401
    assert (await slack.send(b"x" * 600_000, form)).status == 413
    assert (await slack.send(body, form)).status != 401


async def test_an_empty_log_is_a_parent_that_says_so(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=b"[]")
    await slack.types("/auditlog shop last")
    (parent,) = await slack.thread(wait_for=1)
    assert "empty" in parent.text
    await asyncio.sleep(0.3)
    assert [len(each) for each in await slack.threads()] == [1]


async def test_a_gzipped_log_reads_the_same(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=gzip.compress(SAMPLE.read_bytes()))
    await slack.types("/auditlog shop last")
    _, commands, _ = await slack.thread()
    assert 'echo "TEST"' in commands.text


async def test_a_broken_log_is_said_in_the_thread(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.waits._UNREACHABLE_S", (0.05,))
    scalingo.ran("bash", app="shop", by=ADA, log=b'[{"time": "2026-11-23T09:00:00Z", "content": 5}]')
    await slack.types("/auditlog shop last")
    (parent,) = await slack.thread(wait_for=1)
    assert "can't be read" in parent.text
    assert "Record 1" in parent.text


async def test_four_hundred_commands_and_endless_lines_stay_within_slacks_limits(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    typed = tuple(f"echo {number} {'x' * (9000 if number % 50 == 0 else 20)}" for number in range(400))
    scalingo.ran("bash", app="shop", by=ADA, log=audit_log(typed=typed))
    await slack.types("/auditlog shop last")
    parent, commands, transcript = await slack.thread()
    assert "400 commands" in parent.text
    assert "more in the file" in commands.text
    assert b"echo 399" in next(iter(transcript.files.values()))


async def test_a_slack_that_refuses_our_blocks_gets_plain_words(
    bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    slack.fail("chat.postMessage", "invalid_blocks", times=1)
    await slack.types("/auditlog shop last")
    parent, _, _ = await slack.thread()
    assert "blocks" not in parent.raw
    assert "shop" in parent.text


@pytest.mark.parametrize("fault", ["lost", "reset", 500, 429])
@pytest.mark.parametrize(
    "method", ["chat.postMessage", "files.getUploadURLExternal", "upload", "files.completeUploadExternal"]
)
async def test_whatever_slack_does_there_is_one_thread(
    method: str, fault: str | int, bot: Running, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    slack.fail(method, fault, times=1)
    await slack.types("/auditlog shop last")
    await slack.thread(within_s=15)
    await asyncio.sleep(0.2)
    assert [len(each) for each in await slack.threads()] == [3]


async def test_nothing_typed_comes_alive(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    typed = ("echo <!channel> <@U0> <https://evil.example|ok>", "echo *bold* _it_ `code` :tada:", "echo \u202eabc")
    scalingo.ran("bash <!here> &amp;", app="shop", by="<!everyone>@example.com", log=audit_log(typed=typed))
    await slack.types("/auditlog shop last")
    parent, commands, _ = await slack.thread()
    sent = json.dumps([parent.raw, commands.raw], ensure_ascii=False)
    assert "\u202e" not in sent
    for block in [*parent.raw["blocks"], *commands.raw["blocks"]]:
        if block["type"] != "rich_text":
            assert "<!channel>" not in json.dumps(block)
    assert "<!channel>" not in commands.raw["text"]
    assert "<!here>" not in parent.raw["text"]
    assert "<!everyone>" not in parent.raw["text"]


async def test_what_may_leave_for_slack(start: Start, slack: Workspace, scalingo: ScalingoStandin) -> None:
    bot = await start(CONTENT="commands")
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await slack.types("/auditlog shop last")
    _, commands = await slack.thread(wait_for=2)
    assert "exit" in commands.text
    await asyncio.sleep(0.2)
    assert [len(each) for each in await slack.threads()] == [2]
    assert slack.called("files.getUploadURLExternal") == []
    assert bot.parts.settings.content == "commands"


async def test_metadata_alone_may_leave(start: Start, slack: Workspace, scalingo: ScalingoStandin) -> None:
    await start(CONTENT="full", CONTENT_OSC_FR1="metadata")
    scalingo.ran("rake secret:task", app="shop", by=ADA, log=SAMPLE)
    await slack.types("/auditlog shop")
    (told,) = await slack.told()
    assert "rake" not in json.dumps(told.raw)
    await slack.types("/auditlog shop last")
    (parent,) = await slack.thread(wait_for=1)
    assert "2 commands" in parent.text
    assert "rake" not in json.dumps(parent.raw)
    await asyncio.sleep(0.2)
    assert [len(each) for each in await slack.threads()] == [1]


async def test_a_restart_answers_what_was_acknowledged(
    start: Start, slack: Workspace, scalingo: ScalingoStandin
) -> None:
    bot = await start()
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    store = bot.parts.store
    await store.add_ask(
        "key", "read_last", {"region": "osc-fr1", "app": "shop"},
        user=slack.user_id(ADA), channel=slack.channel_id("ops"), response_url="", now=bot.parts.now,
    )  # fmt: skip
    await start()
    assert len(await slack.thread()) == 3
