"""bot/slack/api.py against the stand-in, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.slack.api import Slack
from bot.slack.message import Message
from bot.slack.pace import Pace
from bot.standin.slack import SlackStandin

HELLO = Message("hello", [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}])


@pytest.fixture
async def workspace() -> AsyncIterator[SlackStandin]:
    async with SlackStandin() as standin:
        yield standin


@pytest.fixture
async def slack(workspace: SlackStandin) -> AsyncIterator[Slack]:
    slack = Slack(token=SecretStr(workspace.token), api_url=workspace.api_url, pace=Pace(every_s=0.01))
    yield slack
    await slack.aclose()


async def test_a_message_comes_back_with_its_metadata(slack: Slack, workspace: SlackStandin) -> None:
    ops = workspace.channel("ops").id
    ts = await slack.post(ops, HELLO, metadata={"event_type": "scalingo_session", "event_payload": {"key": "k"}})
    [message] = [message async for message in slack.history(ops, oldest=0)]
    assert message["ts"] == ts
    assert message["metadata"]["event_payload"] == {"key": "k"}
    assert (await slack.identity()).wrote(message)


async def test_a_file_goes_up_in_three_calls(slack: Slack, workspace: SlackStandin, tmp_path: Path) -> None:
    ops = workspace.channel("ops").id
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
