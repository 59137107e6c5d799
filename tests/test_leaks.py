"""One session with every kind of secret, through every outlet there is; then everything that left is searched for them."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import leaking
import pytest
from aiohttp import ClientSession
from conftest import ADA, EVE, Start, audit_log, environment, until
from leaking import CONSOLES, EVENT_COMMAND, Shape, leaks

from bot import log
from bot.reading.consoles import shown_command
from bot.standin.people import Told
from bot.standin.scalingo import ScalingoStandin
from bot.standin.slack import SlackStandin

ROOT = Path(__file__).parents[1]
# What a filter cannot know: it sees no keys, and this one is shown in a place that gives nothing away.
SHOWN_BLIND = {"mysql blind"}
METRICS_TOKEN = "m" * 24


def broken_log() -> bytes:
    record = {"time": "2026-11-23T09:00:00Z", "content": f"SMTP_PASSWORD={leaking.SECRETS['env password']}\n"}
    return json.dumps([record | {"type": "output"}, record | {"type": 5}]).encode()


def everything_said(slack: SlackStandin) -> dict[str, str]:
    """Every request that Slack got, every message, metadata and file that it holds, every word to one person."""
    said: dict[str, Any] = {f"call {n} {call.method}": call.arguments for n, call in enumerate(slack.calls)}
    said |= {f"told {n}": told.raw for n, told in enumerate(slack._told)}
    said |= {f"room {room.name}": room.messages for room in slack.rooms.values()}
    said |= {f"file {each.name}": [each.name, each.title] for each in slack.files.values()}
    texts = {where: json.dumps(what, ensure_ascii=False, default=str) for where, what in said.items()}
    return texts | {f"content of {each.id}": (each.content or b"").decode() for each in slack.files.values()}


def assert_nothing_leaked(places: dict[str, str | bytes]) -> None:
    found = {where: leaked for where, what in places.items() if (leaked := leaks(what))}
    assert found == {}


# --- `read` and `mask`


@pytest.mark.parametrize("shape", ["line", "raw"])
@pytest.mark.parametrize("form", [[], ["--json"], ["--transcript"], ["--transcript", "--marks"], ["--cast"]])
def test_no_form_of_read_shows_a_secret(form: list[str], shape: Shape) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bot", "read", "-", *form],
        input=leaking.session().log(shape),
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert "••••••".encode() in run.stdout or b"\\u2022" in run.stdout
    assert_nothing_leaked({"standard output": run.stdout, "standard error": run.stderr})


@pytest.mark.parametrize("form", [[], ["--json"], ["--transcript"], ["--cast"]])
def test_a_broken_log_is_not_quoted(form: list[str]) -> None:
    for broken in (broken_log(), broken_log()[:-40], b"[" + leaking.SECRETS["stripe"].encode() + b"]"):
        run = subprocess.run(
            [sys.executable, "-m", "bot", "read", "-", *form], input=broken, capture_output=True, cwd=ROOT, check=False
        )
        assert run.returncode == 2
        assert run.stdout == b""
        assert_nothing_leaked({"standard error": run.stderr})


def test_the_filter_shows_no_secret() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bot", "mask"],
        input=leaking.session().shown(),
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert leaks(run.stdout) <= SHOWN_BLIND
    assert run.stdout.count(b"\n") == leaking.session().shown().count(b"\n")


@pytest.mark.parametrize("shown", CONSOLES)
def test_a_console_is_shown_by_its_name(shown: str) -> None:
    assert shown_command(CONSOLES[shown]) == shown


# --- the bot itself


@dataclass
class Serving:
    """`python -m bot serve` in a process of its own; `output` is whatever it wrote."""

    process: subprocess.Popen[bytes]
    address: str
    output: bytearray


@asynccontextmanager
async def serving(variables: dict[str, str], *, on_a_terminal: bool) -> AsyncIterator[Serving]:
    ours, its = pty.openpty() if on_a_terminal else os.pipe()
    passed = {
        n: os.environ[n] for n in ("PATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG") if n in os.environ
    }
    # Not asyncio's: that would wait for both pipes in ways that a terminal does not know.
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-m", "bot"], cwd=ROOT, env=passed | variables, stdout=its, stderr=its
    )
    os.close(its)
    bot = Serving(process, f"http://127.0.0.1:{variables['PORT']}", bytearray())
    loop = asyncio.get_running_loop()

    def drain() -> None:
        # A terminal whose other end is closed says so with an error.
        with contextlib.suppress(OSError):
            if data := os.read(ours, 1 << 16):
                bot.output.extend(data)
                return
        loop.remove_reader(ours)

    loop.add_reader(ours, drain)

    async def ready() -> bool:
        assert process.poll() is None, bot.output.decode()
        return b"Listening on" in bot.output

    try:
        await until(ready, 20)
        yield bot
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
        await asyncio.sleep(0.05)
        loop.remove_reader(ours)
        os.close(ours)


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    """Ours alone: it remembers every request."""
    async with SlackStandin() as slack:
        slack.channel("ops")
        yield slack


@pytest.fixture
def variables(slack: SlackStandin, scalingo: ScalingoStandin, tmp_path: Path, unused_tcp_port: int) -> dict[str, str]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    more = {"METRICS_TOKEN": METRICS_TOKEN, "TMPDIR": str(temporary), "POLL_EVERY_S": "0.3"}
    return environment(slack, scalingo, tmp_path, PORT=str(unused_tcp_port), **more)


Logged = Callable[[], str]


@pytest.fixture
def logged() -> Iterator[Logged]:
    """What was logged so far."""
    with contextlib.redirect_stderr(io.StringIO()) as written:
        log.configure(as_json=True)
        yield written.getvalue
    log.configure(as_json=False)


def _names_in(folder: str) -> list[str]:
    return [path.name for path in Path(folder).iterdir()]


def _files(folder: Path) -> dict[str, str | bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("bot.sqlite*")}


@pytest.mark.processes
@pytest.mark.parametrize(("shape", "on_a_terminal"), [("line", False), ("raw", True)])
async def test_no_outlet_of_the_bot_shows_a_secret(
    shape: Shape, on_a_terminal: bool, variables: dict[str, str], slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    async with serving(variables, on_a_terminal=on_a_terminal) as bot:
        slack.app_url = bot.address
        await every_conversation(slack, scalingo, leaking.session().log(shape))
        assert _names_in(variables["TMPDIR"]) == []
        pages = await _pages(bot.address)
    assert bot.process.returncode == 0
    assert bot.output.count(b" info " if on_a_terminal else b'"event"') > 5
    stored = _files(Path(variables["TMPDIR"]).parent)
    assert b"pgsql-console shop_4711" in stored["bot.sqlite"]
    assert_nothing_leaked({**everything_said(slack), **pages, **stored, "log": bytes(bot.output)})


async def every_conversation(slack: SlackStandin, scalingo: ScalingoStandin, recorded: bytes) -> None:
    """Asked for by id, last, button; listed, subscribed, slow, refused, asked for again; each console once."""
    for command in CONSOLES.values():
        scalingo.ran(command, app="shop", by=ADA, log=audit_log("Connected."))
    event = scalingo.ran(EVENT_COMMAND, app="shop", by=ADA, log=recorded)
    await slack.types("/auditlog subscribe shop", channel="security")
    await slack.types("/auditlog shop", channel="list")
    listed = await _told(slack, "Newest sessions")
    assert all(shown in listed.text for shown in CONSOLES)
    scalingo.fail("*/audit_logs/*", "slow", seconds=2.3, times=1)
    await slack.types(f"/auditlog shop {event['type_data']['audit_log_id']}")
    await slack.types("/auditlog shop last", channel="last")
    for number in range(2):
        button = listed.raw["blocks"][2 + number]["accessory"]["value"]
        slack.channel(f"console-{number}")
        await slack.presses("read_session", within=_in(slack, listed, f"console-{number}"), value=button)
    await slack.types("/auditlog shop last", user=EVE)
    await slack.types("/auditlog shop 5d2c0000000000000000ffff", channel="list")
    scalingo.ran(EVENT_COMMAND, app="shop", by=ADA, log=recorded)
    for channel in ("ops", "last", "security", "console-0", "console-1"):
        await slack.thread(channel, within_s=30)
    await slack.types("/auditlog shop last", channel="security")
    await slack.presses("post_again", within=await _told(slack, "in this channel already"))
    await slack.thread("security", nth=1)
    await slack.types("/auditlog subscriptions", channel="security")
    await _told(slack, "1 subscription")


async def _told(slack: SlackStandin, words: str, user: str = ADA) -> Told:
    async def heard() -> bool:
        return any(words in told.text for told in slack.ephemerals(user))

    await until(heard)
    return next(told for told in slack.ephemerals(user) if words in told.text)


def _in(slack: SlackStandin, told: Told, channel: str) -> Told:
    return Told(told.user, slack.channel_id(channel), told.raw)


async def _pages(address: str) -> dict[str, str]:
    bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    async with (
        ClientSession() as http,
        http.get(f"{address}/healthz") as health,
        http.get(f"{address}/metrics", headers=bearer) as metrics,
    ):
        assert (health.status, metrics.status) == (200, 200)
        return {"healthz": await health.text(), "metrics": await metrics.text()}


@pytest.mark.parametrize("content", ["commands", "metadata"])
async def test_no_more_than_may_leave_leaves(
    content: str, start: Start, slack: SlackStandin, scalingo: ScalingoStandin, logged: Logged
) -> None:
    """By command, by button, posted again, subscribed and brought up to date."""
    bot = await start(CONTENT="full", CONTENT_OSC_FR1=content, POLL_EVERY_S="0.2")
    replies = 1 if content == "commands" else 0
    await slack.types("/auditlog subscribe shop", channel="security")
    await slack.told()
    running = scalingo.ran("rake users:purge", app="shop", by=ADA, log=None)
    await slack.thread("security", wait_for=1)
    scalingo.log(running, leaking.session().log("line"))
    await slack.types("/auditlog shop")
    await slack.presses("read_session", within=await _told(slack, "Newest sessions"))
    await slack.thread("ops", wait_for=1 + replies, within_s=20)
    await slack.thread("security", wait_for=1 + replies, within_s=20)

    async def all_done() -> bool:
        return (await bot.parts.store.owed_stats(bot.parts.now)).count == 0

    await until(all_done, 20)
    await slack.types("/auditlog shop last")
    await slack.presses("post_again", within=await _told(slack, "in this channel already"))
    await slack.thread("ops", nth=1, wait_for=1 + replies)
    await until(all_done, 20)
    said = everything_said(slack)
    assert slack.files == {}
    assert [len(each) for channel in ("ops", "security") for each in await slack.threads(channel)] == [1 + replies] * 3
    for typed in ("tokens:rotate", "id_rsa", "users:purge"):
        assert any(typed in text for text in said.values()) == (content == "commands")
    assert not any("search.example.com" in text for text in said.values())
    assert_nothing_leaked({**said, "log": logged()})


async def test_a_log_that_is_given_up_is_not_quoted(
    start: Start,
    slack: SlackStandin,
    scalingo: ScalingoStandin,
    monkeypatch: pytest.MonkeyPatch,
    logged: Logged,
) -> None:
    monkeypatch.setattr("bot.jobs.waits._UNREACHABLE_S", (0.05,))
    await start()
    scalingo.ran(EVENT_COMMAND, app="shop", by=ADA, log=broken_log())
    await slack.types("/auditlog shop last")
    (parent,) = await slack.thread(wait_for=1)
    assert "can't be read" in parent.text
    await start.stop()
    written = logged()
    assert "session given up" in written
    assert_nothing_leaked({**everything_said(slack), "log": written})


async def test_a_policy_for_a_region_that_is_none_is_told(start: Start, logged: Logged) -> None:
    await start(CONTENT_OSC_FR1="metadata")
    assert "HOLDS NOTHING BACK" not in logged()
    await start(CONTENT_OSC_SECNUM_FR="metadata")
    assert "CONTENT_OSC_SECNUM_FR HOLDS NOTHING BACK" in logged()
