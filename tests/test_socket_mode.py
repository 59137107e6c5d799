"""With SLACK_APP_TOKEN the same conversations go over a WebSocket, and no signing secret is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from conftest import ADA, SAMPLE, environment

from bot.app import Running, running
from bot.settings import Settings
from bot.standin.scalingo import ScalingoStandin
from bot.standin.socket_mode import SocketModeStandin


@pytest.fixture
async def slack() -> AsyncIterator[SocketModeStandin]:
    async with SocketModeStandin() as slack:
        slack.channel("ops")
        slack.person(ADA)
        yield slack


@pytest.fixture
async def bot(slack: SocketModeStandin, scalingo: ScalingoStandin, tmp_path: Path) -> AsyncIterator[Running]:
    variables = environment(slack, scalingo, tmp_path, SLACK_APP_TOKEN=slack.app_token)
    del variables["SLACK_SIGNING_SECRET"]
    async with running(Settings.from_environment(variables).model_copy(update={"port": 0})) as bot:
        yield bot


async def test_a_command_and_a_button(bot: Running, slack: SocketModeStandin, scalingo: ScalingoStandin) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    assert (await slack.types("/auditlog shop")).status == 200
    (told,) = await slack.told()
    await slack.presses("read_session", within=told)
    assert len(await slack.thread()) == 3


async def test_help_is_the_ack(bot: Running, slack: SocketModeStandin) -> None:
    assert "/auditlog subscribe my-app" in (await slack.types("/auditlog help")).json["text"]


async def test_a_dropped_connection_is_made_again(
    bot: Running, slack: SocketModeStandin, scalingo: ScalingoStandin
) -> None:
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    await slack.connected()
    await slack.drops()
    await slack.connected(times=2, within_s=20)
    await slack.types("/auditlog shop last")
    assert len(await slack.thread()) == 3


async def test_a_slack_that_is_down_at_the_start_is_waited_for(
    slack: SocketModeStandin, scalingo: ScalingoStandin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.app.PING_EVERY_S", 0.5)
    slack.fail("apps.connections.open", "internal_error", times=2)
    scalingo.ran("bash", app="shop", by=ADA, log=SAMPLE)
    variables = environment(slack, scalingo, tmp_path, SLACK_APP_TOKEN=slack.app_token)
    async with running(Settings.from_environment(variables).model_copy(update={"port": 0})):
        await slack.types("/auditlog shop last")
        assert len(await slack.thread()) == 3


async def test_slack_has_no_door_over_http_then(bot: Running) -> None:
    async with ClientSession() as http, http.post(f"{bot.address}/slack/events", data=b"text=help") as answer:
        assert answer.status == 404
    async with ClientSession() as http, http.get(f"{bot.address}/healthz") as answer:
        assert answer.status == 200
