"""bot/slack/api.py against the stand-in, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.errors import (
    BadInput,
    BlocksRefused,
    BotError,
    CannotPost,
    Gone,
    Misconfigured,
    RateLimited,
    ThreadGone,
    Unreachable,
)
from bot.slack import api
from bot.slack.api import Person, Slack
from bot.slack.memory import MOST, Memory
from bot.slack.message import Message
from bot.slack.pace import Pace
from bot.slack.refusals import refusal
from bot.standin.faults import Kind
from bot.standin.slack import SlackStandin

HELLO = Message("hello", [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}])
ABOUT = {"event_type": "scalingo_session", "event_payload": {"key": "k"}}


class Clock:
    """Time that passes only where a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def workspace() -> AsyncIterator[SlackStandin]:
    async with SlackStandin() as standin:
        standin.channel("ops")
        yield standin


@pytest.fixture
def requests() -> list[tuple[str, int, float]]:
    return []


@pytest.fixture
async def slack(workspace: SlackStandin, clock: Clock, requests: list[tuple[str, int, float]]) -> AsyncIterator[Slack]:
    def on_request(which: str, status: int, waited_s: float) -> None:
        requests.append((which, status, waited_s))

    slack = Slack(
        token=SecretStr(workspace.token),
        api_url=workspace.api_url,
        on_request=on_request,
        pace=Pace(every_s=0.001),
        clock=clock,
    )
    yield slack
    await slack.aclose()


@pytest.fixture
def ops(workspace: SlackStandin) -> str:
    return workspace.channel_id("ops")


# Messages


async def test_a_message_comes_back_with_its_metadata(slack: Slack, ops: str) -> None:
    ts = await slack.post(ops, HELLO, metadata=ABOUT)
    [message] = [message async for message in slack.history(ops, oldest=0)]
    assert message["ts"] == ts
    assert message["metadata"] == ABOUT
    assert (await slack.identity()).wrote(message)


async def test_an_update_keeps_the_metadata_and_can_take_the_blocks_away(
    slack: Slack, workspace: SlackStandin, ops: str
) -> None:
    ts = await slack.post(ops, HELLO, metadata=ABOUT)
    await slack.update(ops, ts, Message("bye"))
    [message] = await workspace.messages("ops")
    assert (message["text"], message.get("blocks"), message["metadata"]) == ("bye", None, ABOUT)


async def test_a_message_links_to_itself_and_can_be_deleted_twice(
    slack: Slack, workspace: SlackStandin, ops: str
) -> None:
    ts = await slack.post(ops, HELLO)
    assert await slack.permalink(ops, ts) == f"https://example.slack.com/archives/{ops}/p{ts.replace('.', '')}"
    await slack.delete(ops, ts)
    await slack.delete(ops, ts)
    assert await workspace.messages("ops") == []
    with pytest.raises(ThreadGone):
        await slack.permalink(ops, ts)


async def test_history_goes_back_to_a_time_and_no_further(slack: Slack, workspace: SlackStandin, ops: str) -> None:
    for number in range(450):
        workspace.says(f"{number}")
    since = float((await workspace.messages("ops"))[100]["ts"])
    texts = [message["text"] async for message in slack.history(ops, oldest=since)]
    # `oldest` is exclusive, as Slack's is.
    assert texts == [str(number) for number in range(449, 100, -1)]
    assert len(workspace.called("conversations.history")) == 2


async def test_history_of_a_slack_that_ignores_its_arguments(slack: Slack, workspace: SlackStandin, ops: str) -> None:
    workspace.fail(
        "conversations.history", 200, body='{"ok": true, "messages": [{"ts": "9.0", "text": "new"}, {"ts": "7.0"}]}'
    )
    assert [message["text"] async for message in slack.history(ops, oldest=8.0)] == ["new"]


# Files


async def test_a_file_goes_up_in_three_calls(slack: Slack, workspace: SlackStandin, ops: str, tmp_path: Path) -> None:
    transcript = tmp_path / "t.txt"
    transcript.write_bytes(b"x" * 300_000)
    ts = await slack.post(ops, HELLO)
    remembered: list[str] = []

    async def remember(file_id: str) -> None:
        assert not workspace.files[file_id].completed
        remembered.append(file_id)

    file_id = await slack.upload(ops, ts, transcript, "shop.txt", "Transcript", on_file_id=remember)
    assert remembered == [file_id]
    [file] = await slack.our_files(ops, ts)
    assert (file.id, file.name, file.size) == (file_id, "shop.txt", 300_000)
    assert [call.method for call in workspace.calls[1:4]] == [
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
    ]


async def nothing(_file_id: str) -> None:
    return


@pytest.mark.parametrize("what", ["lost", "reset", 500, 404, 429])
async def test_bytes_that_slack_did_not_take_go_up_again(
    slack: Slack, workspace: SlackStandin, ops: str, tmp_path: Path, what: int | Kind
) -> None:
    (tmp_path / "t.txt").write_bytes(b"$ ls\n")
    ts = await slack.post(ops, HELLO)
    workspace.fail("upload", what, retry_after_s=0)
    file_id = await slack.upload(ops, ts, tmp_path / "t.txt", "t.txt", "t", on_file_id=nothing)
    assert workspace.files[file_id].content == b"$ ls\n"


async def test_bytes_that_slack_never_takes(slack: Slack, workspace: SlackStandin, ops: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"$ ls\n")
    workspace.fail("upload", 503, times=None)
    with pytest.raises(Unreachable):
        await slack.upload(ops, "1.0", tmp_path / "t.txt", "t.txt", "t", on_file_id=nothing)
    assert len(workspace.called("upload")) == 2


async def test_a_file_is_not_sent_in_the_clear(slack: Slack, workspace: SlackStandin, ops: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"$ ls\n")
    workspace.fail(
        "files.getUploadURLExternal",
        200,
        body='{"ok": true, "upload_url": "http://files.slack.com/upload", "file_id": "F1"}',
    )
    with pytest.raises(BotError, match="not encrypted"):
        await slack.upload(ops, "1.0", tmp_path / "t.txt", "t.txt", "t", on_file_id=nothing)


async def test_a_file_can_be_deleted_twice(slack: Slack, ops: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"$ ls\n")
    ts = await slack.post(ops, HELLO)
    file_id = await slack.upload(ops, ts, tmp_path / "t.txt", "t.txt", "t", on_file_id=nothing)
    assert await slack.file_exists(file_id)
    await slack.delete_file(file_id)
    await slack.delete_file(file_id)
    assert not await slack.file_exists(file_id)
    assert await slack.our_files(ops, ts) == []


# Who and where


async def test_people(slack: Slack, workspace: SlackStandin) -> None:
    workspace.person("ada@example.com")
    workspace.person("guest@example.com", guest=True)
    workspace.person("other@example.com", foreign=True)
    workspace.person("left@example.com", deleted=True)
    people = [await slack.person(workspace.user_id(name)) for name in ("ada", "guest", "other", "left")]
    assert [(p.email, p.is_guest, p.is_foreign, p.deleted) for p in people] == [
        ("ada@example.com", False, False, False),
        ("guest@example.com", True, False, False),
        ("other@example.com", False, True, False),
        ("left@example.com", False, False, True),
    ]
    assert (await slack.person(workspace.bot_user_id)).is_bot
    assert (await slack.person(workspace.person(None, name="shy").id)).email is None
    assert await slack.person("U0NOBODY") == Person("U0NOBODY", None, is_foreign=True)


async def test_an_address_that_slack_may_not_show(slack: Slack, workspace: SlackStandin) -> None:
    workspace.scopes.discard("users:read.email")
    assert (await slack.person(workspace.user_id("ada@example.com"))).email is None


async def test_a_person_is_asked_about_once_in_five_minutes(
    slack: Slack, workspace: SlackStandin, clock: Clock
) -> None:
    ada = workspace.person("ada@example.com")
    await slack.person(ada.id)
    ada.email = "new@example.com"
    clock.now += 299
    assert (await slack.person(ada.id)).email == "ada@example.com"
    clock.now += 2
    assert (await slack.person(ada.id)).email == "new@example.com"


async def test_channels(slack: Slack, workspace: SlackStandin) -> None:
    ids = [
        workspace.channel("public").id,
        workspace.channel("elsewhere", bot=False).id,
        workspace.channel("private", private=True).id,
        workspace.channel("with-others", shared=True).id,
        workspace.channel("old", archived=True).id,
        workspace.channel("dm", im=True).id,
    ]
    channels = [await slack.channel(each) for each in ids]
    assert [(c.is_member, c.is_private, c.is_shared, c.is_archived, c.is_im) for c in channels] == [
        (True, False, False, False, False),
        (False, False, False, False, False),
        (True, True, False, False, False),
        (True, False, True, False, False),
        (True, False, False, True, False),
        (True, True, False, False, True),
    ]


async def test_a_channel_is_asked_about_once_a_minute_or_when_it_is_doubted(
    slack: Slack, workspace: SlackStandin, clock: Clock
) -> None:
    room = workspace.channel("ops")
    await slack.channel(room.id)
    room.is_shared = True
    assert not (await slack.channel(room.id)).is_shared
    clock.now += 61
    assert (await slack.channel(room.id)).is_shared
    room.is_shared = False
    slack.forget_channel(room.id)
    assert not (await slack.channel(room.id)).is_shared


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        ({"private": True, "bot": False}, "channel_not_found"),
        ({"im": True, "bot": False}, "channel_not_found"),
        ({"bot": False}, "not_in_channel"),
        ({"archived": True}, "is_archived"),
    ],
)
async def test_where_we_can_not_post(
    slack: Slack, workspace: SlackStandin, channel: dict[str, bool], reason: str
) -> None:
    room = workspace.channel("nowhere", **channel)
    with pytest.raises(CannotPost) as refused:
        await slack.post(room.id, HELLO)
    assert refused.value.reason == reason


async def test_a_public_channel_takes_messages_where_the_scope_says_so_but_no_files(
    slack: Slack, workspace: SlackStandin, tmp_path: Path
) -> None:
    workspace.scopes.add("chat:write.public")
    (tmp_path / "t.txt").write_bytes(b"$ ls\n")
    room = workspace.channel("elsewhere", bot=False).id
    ts = await slack.post(room, HELLO)
    with pytest.raises(CannotPost):
        await slack.upload(room, ts, tmp_path / "t.txt", "t.txt", "t", on_file_id=nothing)


# What goes wrong


@pytest.mark.parametrize("what", ["lost", "reset", "cut", "short", "html", 500, 503, "internal_error"])
async def test_a_read_is_repeated(slack: Slack, workspace: SlackStandin, what: int | str) -> None:
    workspace.fail("auth.test", what, times=2)
    assert (await slack.identity()).bot_user_id == workspace.bot_user_id
    assert len(workspace.called("auth.test")) == 3


async def test_a_read_is_given_up(
    slack: Slack, workspace: SlackStandin, requests: list[tuple[str, int, float]]
) -> None:
    workspace.fail("auth.test", 500, times=None)
    with pytest.raises(Unreachable):
        await slack.identity()
    assert [status for _, status, _ in requests] == [500] * api.ATTEMPTS


@pytest.mark.parametrize("what", ["lost", "reset", "cut", "short", "html", 500, 503, "fatal_error"])
async def test_a_post_is_not_repeated_where_it_may_have_been_done(
    slack: Slack, workspace: SlackStandin, ops: str, what: int | str
) -> None:
    workspace.fail("chat.postMessage", what)
    with pytest.raises(Unreachable) as lost:
        await slack.post(ops, HELLO)
    assert lost.value.maybe_done
    assert len(workspace.called("chat.postMessage")) == 1


async def test_a_post_that_never_left_is_known_not_to_be_done(unused_tcp_port: int) -> None:
    slack = Slack(token=SecretStr("t"), api_url=f"http://127.0.0.1:{unused_tcp_port}/api/")
    with pytest.raises(Unreachable, match="can't be reached") as lost:
        await slack.post("C1", HELLO)
    assert not lost.value.maybe_done
    await slack.aclose()


async def test_too_many_requests_are_waited_out_and_counted(
    slack: Slack, workspace: SlackStandin, ops: str, requests: list[tuple[str, int, float]]
) -> None:
    workspace.fail("chat.postMessage", 429, times=3, retry_after_s=0)
    await slack.post(ops, HELLO)
    assert [status for _, status, _ in requests] == [429, 429, 429, 200]
    assert len(await workspace.messages("ops")) == 1


async def test_a_pause_that_is_too_long_is_for_the_caller(
    slack: Slack, workspace: SlackStandin, ops: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "RATE_LIMIT_PATIENCE_S", 0.0)
    workspace.fail("chat.postMessage", 429, times=None, retry_after_s=30)
    with pytest.raises(RateLimited) as limited:
        await slack.post(ops, HELLO)
    assert limited.value.retry_after_s == 30


async def test_a_retry_after_that_is_no_number(slack: Slack, workspace: SlackStandin) -> None:
    workspace.fail("auth.test", 429).headers = {"Retry-After": "soon"}
    assert (await slack.identity()).team_id == workspace.team_id


async def test_an_address_that_is_not_slacks_api(slack: Slack, workspace: SlackStandin) -> None:
    workspace.fail("auth.test", 404, body="nothing here")
    with pytest.raises(BotError, match="is SLACK_API_URL right"):
        await slack.identity()


async def test_a_token_that_is_wrong_is_named_and_not_shown(workspace: SlackStandin) -> None:
    slack = Slack(token=SecretStr("xoxb" + "-wrong"), api_url=workspace.api_url)
    with pytest.raises(Misconfigured, match="SLACK_BOT_TOKEN") as refused:
        await slack.identity()
    assert "wrong" not in str(refused.value)
    await slack.aclose()


async def test_a_missing_scope_is_named(slack: Slack, workspace: SlackStandin, ops: str) -> None:
    workspace.scopes.discard("channels:history")
    with pytest.raises(Misconfigured, match="channels:history"):
        [message async for message in slack.history(ops, oldest=0)]


async def test_an_error_holds_nothing_of_the_message(slack: Slack, workspace: SlackStandin, ops: str) -> None:
    workspace.fail("chat.postMessage", "invalid_blocks")
    with pytest.raises(BlocksRefused) as refused:
        await slack.post(ops, Message("very secret"))
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("restricted_action", CannotPost),
        ("msg_too_long", BlocksRefused),
        ("thread_not_found", ThreadGone),
        ("token_revoked", Misconfigured),
        ("missing_scope", Misconfigured),
        ("ratelimited", RateLimited),
        ("service_unavailable", Unreachable),
        ("file_not_found", Gone),
        ("something_new", BotError),
    ],
)
def test_error_codes(code: str, failure: type[BotError]) -> None:
    assert type(refusal("chat.postMessage", code)) is failure


async def test_a_proxy_in_the_environment_is_not_used(workspace: SlackStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    slack = Slack(token=SecretStr(workspace.token), api_url=workspace.api_url)
    assert (await slack.identity()).bot_id == workspace.bot_id
    await slack.aclose()


# Answers to a command


@pytest.fixture
def response_url(workspace: SlackStandin, ops: str) -> str:
    return workspace.response_url(workspace.user_id("ada@example.com"), ops)


async def test_what_is_said_to_a_person_is_replaced_and_gone_at_the_end(
    slack: Slack, workspace: SlackStandin, response_url: str
) -> None:
    await slack.respond(response_url, Message("10 %"))
    await slack.respond(response_url, HELLO, replace=True)
    assert [told.text for told in workspace.ephemerals()] == ["10 %", "hello"]
    assert [told.text for told in workspace.ephemerals(standing=True)] == ["hello"]
    await slack.respond(response_url, None, delete=True)
    assert workspace.ephemerals(standing=True) == []
    assert not any(told.to_everybody for told in workspace.ephemerals())


async def test_the_sixth_answer_is_too_late(slack: Slack, response_url: str) -> None:
    for _ in range(5):
        await slack.respond(response_url, HELLO)
    with pytest.raises(Gone):
        await slack.respond(response_url, HELLO)
    with pytest.raises(Gone):
        await slack.respond(response_url[:-4] + "0000", HELLO)


async def test_an_answer_whose_blocks_slack_refuses(slack: Slack, response_url: str) -> None:
    with pytest.raises(BlocksRefused):
        await slack.respond(response_url, Message("x", [{"type": "header"}]))


@pytest.mark.parametrize(
    "url", ["https://evil.example/respond", "http://hooks.slack.com/x", "https://hooks.slack.com.evil.example/", "x"]
)
async def test_nothing_is_said_to_anybody_but_slack(slack: Slack, url: str) -> None:
    with pytest.raises(BadInput):
        await slack.respond(url, HELLO)


async def test_loopback_is_slack_only_where_slack_is_on_loopback() -> None:
    slack = Slack(token=SecretStr("t"))
    with pytest.raises(BadInput):
        await slack.respond("http://127.0.0.1:9/respond", HELLO)
    await slack.aclose()


# Pace and memory


async def test_a_burst_of_four_and_then_one_at_a_time(clock: Clock) -> None:
    async def sleep(seconds: float) -> None:
        clock.now += seconds

    pace, started, sent = Pace(every_s=1.0, clock=clock, sleep=sleep), clock.now, []
    for channel in ("C1", "C1", "C1", "C1", "C1", "C1", "C2", "C1"):
        async with pace.turn(channel):
            sent.append((channel, clock.now - started))
    assert [at for channel, at in sent if channel == "C1"] == [0, 0, 0, 0, 1, 2, 3]
    assert ("C2", 2) in sent
    clock.now += 60
    async with pace.turn("C1"):
        pace.slow_down("C1")
        clock.now += 5
    async with pace.turn("C1"):
        assert clock.now - started == 3 + 60 + 5 + 1


async def test_a_strict_channel_loses_no_message(workspace: SlackStandin, ops: str) -> None:
    workspace.seconds_a_message = 1.0
    slack = Slack(token=SecretStr(workspace.token), api_url=workspace.api_url)
    for number in range(3):
        await slack.post(ops, Message(f"{number}"))
    assert [message["text"] for message in await workspace.messages("ops")] == ["0", "1", "2"]
    assert [call.status for call in workspace.calls] == [200, 429, 200, 200]
    await slack.aclose()


async def test_many_at_once_lose_no_message(workspace: SlackStandin, ops: str) -> None:
    workspace.seconds_a_message = 0.01
    slack = Slack(token=SecretStr(workspace.token), api_url=workspace.api_url, pace=Pace(every_s=0.02))
    await asyncio.gather(*(slack.post(ops, Message(f"{number}")) for number in range(50)))
    texts = [message["text"] for message in await workspace.messages("ops")]
    assert sorted(texts, key=int) == [f"{number}" for number in range(50)]
    assert any(call.status == 429 for call in workspace.calls)
    await slack.aclose()


async def test_memory_keeps_a_bounded_number_of_answers() -> None:
    memory: Memory[str] = Memory(60.0)

    async def answer() -> str:
        return "yes"

    for number in range(2 * MOST + 2):
        assert await memory.recall(str(number), answer) == "yes"
    assert len(memory._answers) == MOST
    assert len(memory._asking) <= 2 * MOST + 1
