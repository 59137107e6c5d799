"""What people, programs and names hold comes alive nowhere: not in Slack, not on a terminal, not in our log."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import leaking
import pytest
from conftest import ADA, Workspace

from bot import log
from bot.app import Running
from bot.literal import visible
from bot.reading.secrets import Masker
from bot.standin.people import Told
from bot.standin.scalingo import ScalingoStandin

ROOT = Path(__file__).parents[1]
ALIVE_IN_SLACK = "<!channel> <@U024BE7LH> <https://evil.example|ok> &lt;!here&gt; *b* _i_ ~s~ `c` :tada: #ops @ada"
HIDDEN = "an \u202egpj.exe\u202c \u2066x\u2069 ad\u200bmin \u2060 \ufeff \u061c \u00ad \U000e0041"
SPELLED = "an ‹U+202E›gpj.exe‹U+202C› ‹U+2066›x‹U+2069› ad‹U+200B›min ‹U+2060› ‹U+FEFF› ‹U+061C› ‹U+00AD› ‹U+E0041›"
FAMILY = "👩\u200d👧 naïve e\u0301 می\u200cخواهم"
_TAGS = re.compile(
    r"<(?!!date\^\d+\^|https://dashboard\.scalingo\.com/|https?://[\w.:]+/archives/|@U[0-9A-Z]+>)[^>]*>?"
)


def session() -> leaking.Recording:
    it = leaking.Recording()
    it.types(f"echo {ALIVE_IN_SLACK}", ALIVE_IN_SLACK)
    it.types(
        f"echo '{HIDDEN}'",
        HIDDEN,
        FAMILY,
        "\x1b]0;title\x07\x1b]8;;https://evil.example\x07link\x1b]8;;\x07 \x9b31mred",
    )
    return it


def strings(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Each string in a message, with the path of keys that leads to it."""
    if isinstance(value, dict):
        kind = value.get("type", "")
        for key, each in value.items():
            yield from strings(each, f"{where}/{kind}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from strings(each, where)
    elif isinstance(value, str):
        yield where, value


def assert_dead(message: dict[str, Any]) -> None:
    for where, text in strings({key: message[key] for key in ("text", "blocks", "files") if key in message}):
        assert visible(text.replace("\n", "")) == text.replace("\n", ""), where
        name = where.rsplit("/", 1)[-1]
        if name in {".block_id", ".id", "button.action_id", "button.value", ".name", ".title", ".url"}:
            assert re.fullmatch(r"[\w.:/-]*", text), where
        if name in {"mrkdwn.text", "message.text", ".text"}:
            assert not _TAGS.findall(text), (where, text)


async def test_nothing_comes_alive_in_slack(bot: Running, slack: Workspace, scalingo: ScalingoStandin) -> None:
    by = "<!everyone>\u202e*x*@example.com"
    scalingo.ran(f"sh -c '{ALIVE_IN_SLACK} {HIDDEN}\n\x1b[2J'", app="shop", by=by, log=session().log("line"))
    await slack.types("/auditlog shop")
    (listed,) = await slack.told()
    await slack.types("/auditlog shop last")
    parent, commands, transcript = await slack.thread()
    await slack.types("/auditlog shop last")
    again = (await slack.told(count=2))[-1]
    for said in (listed.raw, parent.raw, commands.raw, again.raw):
        assert_dead(said)
    assert SPELLED in commands.text
    assert SPELLED in parent.text or "‹U+202E›" in parent.text
    ((name, content),) = transcript.files.items()
    assert re.fullmatch(r"[a-z0-9-]+\.txt", name)
    lines = content.decode().split("\n")
    assert SPELLED in lines
    assert FAMILY in lines
    assert ALIVE_IN_SLACK in lines
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", content.decode()) is None


@pytest.mark.parametrize(
    "line", [ALIVE_IN_SLACK, f"shop {HIDDEN}", f"{HIDDEN} last", "subscribe <!here>", "-a *x* last"]
)
async def test_a_command_that_is_not_understood_is_echoed_dead(line: str, bot: Running, slack: Workspace) -> None:
    ack = await slack.types(f"/auditlog {line}")
    await asyncio.sleep(0)
    said = ack.json or (await slack.told())[-1].raw
    assert_dead(said)


# --- a terminal


def on_a_terminal(*arguments: str, stdin: bytes) -> str:
    """What `python -m bot …` writes where its standard output is a terminal."""
    ours, its = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "bot", *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=its, stderr=its
    )
    os.close(its)
    run.communicate(stdin)
    written = b""
    while True:
        try:
            piece = os.read(ours, 1 << 16)
        except OSError:
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("form", [[], ["--transcript"]])
def test_a_terminal_is_not_acted_upon(form: list[str]) -> None:
    shown = on_a_terminal("read", "-", *form, stdin=session().log("line"))
    assert SPELLED in shown
    assert visible(shown.replace("\n", "").replace("\u200c", "").replace("\u200d", "")) == shown.replace(
        "\n", ""
    ).replace("\u200c", "").replace("\u200d", "")


def test_times_and_errors_are_not_acted_upon() -> None:
    record = {"time": "\x1b[2J\u202e", "content": "x\n", "type": "output"}
    assert "\x1b" not in on_a_terminal("read", "-", stdin=json.dumps([record]).encode())
    assert "‹U+001B›" in on_a_terminal("read", "no\x1b[2Jwhere", stdin=b"")


# --- our log


@pytest.mark.parametrize("as_json", [True, False])
def test_one_event_is_one_line_without_anything_hidden(as_json: bool) -> None:
    own = leaking.SECRETS["bearer"]
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        log.configure(as_json=as_json, secrets=[own], mask=lambda text: Masker().line(text))
        log.log().info(f"said {HIDDEN}\n\x1b[2J", name=f"a\nb {own}", error=ValueError(f"{own}\u2028"))
        logging.getLogger("somebody.else").error(
            "lost: %s", f"SMTP_PASSWORD={leaking.SECRETS['env password']} {HIDDEN}\r\n"
        )
        try:
            raise ValueError(leaking.SECRETS["env password"])
        except ValueError:
            logging.getLogger("somebody.else").exception("failed")
    log.configure(as_json=False)
    written = stderr.getvalue()
    assert len(written.splitlines()) == 3
    assert leaking.leaks(written) == set()
    told = [json.loads(line) for line in written.splitlines()] if as_json else [{"event": written}] * 3
    assert SPELLED in told[0]["event"]
    assert visible(written.replace("\n", "")) == written.replace("\n", "")
    assert "test_dead_text" in written


def test_told_is_read() -> None:
    """The check itself finds what it looks for."""
    for raw in ({"text": "<!channel>"}, {"text": "\u202e"}, {"blocks": [{"type": "mrkdwn", "text": "<@U1|x>"}]}):
        with pytest.raises(AssertionError):
            assert_dead(Told(ADA, "C1", raw).raw)
