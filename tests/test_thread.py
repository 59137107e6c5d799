"""A thread is posted once: through lost answers, torn connections and a process that is killed between any two calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from delivering import COMMANDS, NAME, READY, WAITING, Bot, Row, section
from pydantic import SecretStr

from bot.errors import BotError, CannotPost, ThreadGone, Unreachable
from bot.slack import thread as thread_module
from bot.slack.api import Slack
from bot.slack.message import Message
from bot.slack.pace import Pace
from bot.slack.thread import PLAIN_TEXT_LIMIT, Thread, ThreadState, plain
from bot.standin.faults import Kind
from bot.standin.slack import SlackStandin


@pytest.fixture
async def workspace() -> AsyncIterator[SlackStandin]:
    async with SlackStandin() as standin:
        standin.channel("ops")
        yield standin


@pytest.fixture
async def bot(workspace: SlackStandin, tmp_path: Path) -> AsyncIterator[Bot]:
    slack = Slack(token=SecretStr(workspace.token), api_url=workspace.api_url, pace=Pace(every_s=0.001))
    path = tmp_path / "transcript.txt"
    path.write_bytes(b"$ ls\nbin\n$ exit\n")
    yield Bot(workspace, slack, path)
    await slack.aclose()


async def test_a_thread_takes_six_requests_and_one_more_for_each_update(bot: Bot) -> None:
    await bot.deliver()
    await bot.check()
    assert [call.method for call in bot.workspace.calls] == [
        "chat.postMessage",
        "chat.update",
        "chat.postMessage",
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
    ]


async def test_the_parent_carries_the_key_and_the_facts(bot: Bot) -> None:
    ops = bot.workspace.channel_id("ops")
    await Thread(bot.slack, ops, "k", ThreadState(), bot.row.save, facts={"app": "shop"}).parent(READY)
    [message] = await bot.workspace.messages("ops")
    assert message["metadata"] == {"event_type": "scalingo_session", "event_payload": {"key": "k", "app": "shop"}}


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("dies_at", range(1, 8))
async def test_killed_at_any_write(bot: Bot, dies_at: int, written: bool) -> None:
    bot.row.dies_at, bot.row.written = dies_at, written
    await bot.deliver_until_done()
    await bot.check()


@pytest.mark.parametrize("what", ["lost", "reset", "cut", "short", "html", 500, 429])
@pytest.mark.parametrize("nth", range(1, 7))
async def test_any_answer_goes_wrong(bot: Bot, nth: int, what: int | Kind) -> None:
    bot.workspace.fail("*", what, every=nth, retry_after_s=0)
    assert await bot.deliver_until_done() <= 2
    await bot.check()


@pytest.mark.parametrize("nth", range(1, 7))
async def test_an_answer_is_lost_and_the_process_with_it(bot: Bot, nth: int) -> None:
    """What the process would have done after the lost answer it does not do any more; the next one starts from the row."""
    bot.workspace.fail("*", "lost", every=nth)
    bot.workspace.fail("conversations.*", "reset", times=4)
    await bot.deliver_until_done()
    await bot.check()


@pytest.mark.parametrize("share_delay_s", [0.0, 0.2])
async def test_a_file_that_appears_late_is_not_uploaded_again(
    bot: Bot, workspace: SlackStandin, share_delay_s: float
) -> None:
    workspace.share_delay_s = share_delay_s
    workspace.fail("files.completeUploadExternal", "lost")
    await bot.deliver()
    await bot.check()
    assert len(workspace.files) == 1


async def test_a_file_that_slack_has_and_never_shows_is_shared_again(
    bot: Bot, workspace: SlackStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_module, "LOOKS_FOR_FILE_S", (0.0, 0.01))
    workspace.share_delay_s = 3600.0
    workspace.fail("files.completeUploadExternal", "lost")
    with pytest.raises(Unreachable, match="does not show it yet"):
        await bot.deliver()
    assert bot.row.state.file_id is not None
    assert not bot.row.state.file_shared
    [file] = workspace.files.values()
    # Had Slack's last call never arrived, the bytes would still be waiting for it.
    file.completed, workspace.share_delay_s = False, 0.0
    workspace.fail("files.info", 200, times=2, body='{"ok": true, "file": {}}')
    await bot.deliver()
    await bot.check()
    assert len(workspace.files) == 1


async def test_an_emptied_store_finds_what_is_there(bot: Bot) -> None:
    await bot.deliver()
    bot.row = Row()
    await bot.deliver(look_first=True)
    await bot.check()
    assert bot.row.state.file_shared


@pytest.mark.parametrize("dies_at", range(1, 4))
async def test_an_emptied_store_and_a_process_that_is_killed_while_it_looks(bot: Bot, dies_at: int) -> None:
    await bot.deliver()
    bot.row = Row(dies_at=dies_at)
    assert await bot.deliver_until_done(look_first=True) == 2
    await bot.check()


async def test_an_emptied_store_and_half_a_thread(bot: Bot) -> None:
    await bot.thread().parent(WAITING)
    bot.row = Row()
    await bot.deliver(look_first=True)
    await bot.check()


async def test_what_is_there_is_searched_in_a_busy_channel(bot: Bot) -> None:
    for _ in range(450):
        bot.workspace.says("noise")
    await bot.thread().parent(WAITING)
    for _ in range(450):
        bot.workspace.says("noise")
    bot.row = Row()
    await bot.thread(look_first=True).parent(READY)
    ours = [message for message in await bot.workspace.messages("ops") if "metadata" in message]
    assert len(ours) == 1
    assert len(bot.workspace.called("conversations.history")) == 3


async def test_somebody_else_can_copy_our_metadata_and_is_not_believed(bot: Bot) -> None:
    message = bot.workspace.says("shop: running")
    payload = {"key": "osc-fr1/app/ev1"}
    message["metadata"] = {"event_type": "scalingo_session", "event_payload": payload}
    await bot.thread(look_first=True).parent(READY)
    assert [each["text"] for each in await bot.workspace.messages("ops")] == ["shop: running", "shop: 2 commands"]


async def test_another_session_of_ours_is_another_thread(bot: Bot) -> None:
    ops = bot.workspace.channel_id("ops")
    await Thread(bot.slack, ops, "osc-fr1/app/ev2", ThreadState(), Row().save).parent(READY)
    await bot.thread(look_first=True).parent(READY)
    assert len(await bot.workspace.threads("ops")) == 2


async def test_a_changed_transcript_takes_the_place_of_the_old_one(bot: Bot) -> None:
    await bot.deliver()
    bot.path.write_bytes(b"$ ls\nbin\n$ make\n$ exit\n")
    await bot.deliver()
    await bot.check(b"$ ls\nbin\n$ exit\n")
    await bot.deliver(changed=True)
    await bot.check()


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("dies_at", range(1, 5))
async def test_killed_while_the_transcript_changes(bot: Bot, dies_at: int, written: bool) -> None:
    await bot.deliver()
    bot.path.write_bytes(b"$ ls\nbin\n$ make\n$ exit\n")
    bot.row = Row(bot.row.state, dies_at=dies_at, written=written)
    await bot.deliver_until_done(changed=True)
    await bot.check()


@pytest.mark.parametrize("nth", range(1, 12))
async def test_an_answer_is_lost_while_the_transcript_changes(bot: Bot, nth: int) -> None:
    await bot.deliver()
    bot.path.write_bytes(b"$ ls\nbin\n$ make\n$ exit\n")
    bot.workspace.fail("*", "lost", every=nth)
    await bot.deliver_until_done(changed=True)
    await bot.check()


async def test_an_empty_transcript_is_no_file(bot: Bot) -> None:
    bot.path.write_bytes(b"")
    await bot.deliver()
    [[_, _]] = await bot.workspace.threads("ops")


@pytest.mark.parametrize("refused", ["invalid_blocks", "msg_blocks_too_long", "invalid_blocks_format"])
async def test_blocks_that_slack_refuses_become_plain_words(bot: Bot, refused: str) -> None:
    thread = bot.thread()
    for post in (thread.parent, thread.parent, thread.commands, thread.commands):
        bot.workspace.fail("chat.*", refused)
        await post(READY)
    posts = [(each["text"], each.get("blocks")) for each in await bot.workspace.messages("ops")]
    assert posts == [("shop: 2 commands", None), ("shop: 2 commands", None)]


async def test_blocks_beyond_a_limit_become_plain_words(bot: Bot) -> None:
    await bot.thread().parent(section("x" * 3001))
    [message] = await bot.workspace.messages("ops")
    assert message["text"] == "x" * PLAIN_TEXT_LIMIT + " …"


def test_plain_words_are_short_and_end_with_a_whole_character() -> None:
    assert (
        plain(Message("a" * (PLAIN_TEXT_LIMIT - 2) + "&amp;")).text == "a" * (PLAIN_TEXT_LIMIT - 2) + "&amp;"[:0] + " …"
    )
    assert plain(READY) == Message("shop: 2 commands")


async def test_a_parent_that_a_person_deletes_is_not_posted_again(bot: Bot) -> None:
    thread = bot.thread()
    await thread.parent(WAITING)
    bot.workspace.deletes(thread.state.parent_ts or "")
    with pytest.raises(ThreadGone):
        await thread.parent(READY)
    with pytest.raises(ThreadGone):
        await thread.commands(COMMANDS)
    with pytest.raises(ThreadGone):
        await thread.transcript(bot.path, NAME, "Transcript")
    assert await bot.workspace.messages("ops") == []


async def test_a_reply_that_a_person_deletes_stays_deleted(bot: Bot) -> None:
    await bot.deliver()
    bot.workspace.deletes(bot.row.state.commands_ts or "")
    await bot.deliver()
    [[_, transcript]] = await bot.workspace.threads("ops")
    assert NAME in transcript.files


async def test_the_parent_comes_first(bot: Bot) -> None:
    with pytest.raises(ValueError, match="parent comes first"):
        await bot.thread().commands(COMMANDS)


@pytest.mark.parametrize(("private", "reason"), [(False, "not_in_channel"), (True, "channel_not_found")])
async def test_thrown_out_in_the_middle_and_back(bot: Bot, private: bool, reason: str) -> None:
    bot.workspace.channel("ops", private=private)
    thread = bot.thread()
    await thread.parent(WAITING)
    await thread.parent(READY)
    await thread.commands(COMMANDS)
    bot.workspace.removes_bot("ops")
    with pytest.raises(CannotPost) as refused:
        await bot.thread().transcript(bot.path, NAME, "Transcript")
    assert refused.value.reason == reason
    bot.workspace.channel("ops", private=private)
    await bot.deliver()
    await bot.check()


async def test_what_can_not_be_written_down_is_not_done(bot: Bot) -> None:
    async def down(_state: ThreadState) -> None:
        raise BotError("the store is down")

    save: Callable[[ThreadState], Awaitable[None]] = down
    with pytest.raises(BotError):
        await Thread(bot.slack, bot.workspace.channel_id("ops"), "k", ThreadState(), save).parent(READY)
    assert await bot.workspace.messages("ops") == []


async def test_whoever_finds_anothers_parent_leaves_the_thread_to_him(
    bot: Bot,
) -> None:
    other = Bot(bot.workspace, bot.slack, bot.path)
    await other.thread(beside_others=True).parent(READY)
    with pytest.raises(Unreachable, match="Another container"):
        await bot.deliver(beside_others=True)
    await other.deliver(beside_others=True)
    await bot.deliver(beside_others=True)
    await bot.check()


async def test_of_two_that_saw_no_parent_the_older_one_stays(bot: Bot) -> None:
    other = Bot(bot.workspace, bot.slack, bot.path)
    for each in (other, bot):
        # As if both had looked before either posted.
        await each.thread().parent(READY)
    assert len(await bot.workspace.messages("ops")) == 2
    with pytest.raises(Unreachable, match="Another container"):
        await bot.deliver(beside_others=True)
    await other.deliver(beside_others=True)
    await bot.deliver(beside_others=True)
    await bot.check()


async def test_a_thread_whose_poster_is_gone_is_finished_by_the_other(
    bot: Bot,
) -> None:
    await Bot(bot.workspace, bot.slack, bot.path).thread().parent(WAITING)
    with pytest.raises(Unreachable):
        await bot.deliver(beside_others=True)
    await bot.deliver(beside_others=True)
    await bot.check()
