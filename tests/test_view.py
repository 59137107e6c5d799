"""A thread in the terminal and as a picture: it looks like Slack's, and nothing in it acts on the terminal."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from bot.standin import view

PARENT_TS, REPLY_TS, FILE_TS = "1795454847.000100", "1795454848.000200", "1795454849.000300"


def rich_text(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(parts)}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words} | ({"style": style} if style else {})


def mrkdwn(words: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": words}


def said(*blocks: dict[str, Any], ts: str = PARENT_TS, **more: Any) -> dict[str, Any]:
    return {"ts": ts, "user": "U0BOT", "bot_id": "B0BOT", "username": "audit-log", "blocks": list(blocks), **more}


def shown(*messages: dict[str, Any], files: dict[str, bytes] | None = None, **more: Any) -> str:
    console = Console(file=io.StringIO(), width=80)
    view.show(messages, files or {}, console, **more)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def at(seconds: float, form: str) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime(form)


def test_a_thread_with_its_file() -> None:
    picture = shown(
        said(
            rich_text(section(text("my-app", bold=True), text(": ada ran "), text("rails console", code=True))),
            {"type": "context", "elements": [mrkdwn("6 s · 2 commands · <https://dashboard.example/a|Dashboard>")]},
        ),
        said(
            rich_text({"type": "rich_text_preformatted", "elements": [text('17:27:32  $ echo "TEST"')]}),
            ts=REPLY_TS,
            thread_ts=PARENT_TS,
        ),
        said(ts=FILE_TS, thread_ts=PARENT_TS, files=[{"id": "F1", "name": "my-app.txt"}]),
        files={"my-app.txt": b"$ echo TEST\nTEST\n"},
        channel="prod",
        typed="/auditlog my-app last",
        typed_by="ada",
    )
    assert [line.strip() for line in picture.splitlines() if line.strip()] == [
        f"# prod {'─' * 73}",
        "ada  /auditlog my-app last",
        f"audit-log APP  {at(1795454847, '%H:%M')}",
        "my-app: ada ran rails console",
        "6 s · 2 commands · Dashboard",
        f"╰  audit-log APP  {at(1795454848, '%H:%M')}",
        "╭─────────────────────────╮",
        '│ 17:27:32  $ echo "TEST" │',
        "╰─────────────────────────╯",
        f"╰  audit-log APP  {at(1795454849, '%H:%M')}",
        "╭─ my-app.txt  17 bytes  ─╮",
        "│ $ echo TEST             │",
        "│ TEST                    │",
        "╰─────────────────────────╯",
    ]


def test_what_slack_makes_of_mrkdwn() -> None:
    words = (
        "*Newest* of `a &lt;b&gt;`: <!date^1795454847^{date_short_pretty} at {time}|fallback> <@U0ADA> <!channel> <#C0OPS|ops> "
        "<https://a.example> 2 * 3 * 4"
    )
    line = next(
        line for line in shown(said(mrkdwn_section(words)), names={"U0ADA": "ada"}).splitlines() if "Newest" in line
    )
    day = f"{at(1795454847, '%b')} 23, 2026 at {at(1795454847, '%H:%M')}"
    assert line.strip().startswith(f"Newest of a <b>: {day} @ada @channel #C0OPS")


def mrkdwn_section(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(words), **more}


def test_buttons_lists_links_and_people() -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Read"}}
    picture = shown(
        said(
            mrkdwn_section("one", accessory=button),
            {"type": "section", "text": {"type": "plain_text", "text": "*as it is*"}},
            {"type": "actions", "elements": [button, button]},
            rich_text(
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [section({"type": "user", "user_id": "U0ADA"})],
                },
                section(
                    {"type": "link", "url": "https://a.example", "text": "its thread"},
                    {"type": "link", "url": "https://b.example"},
                ),
            ),
            {"type": "divider"},
        ),
        names={"U0ADA": "ada"},
    )
    for words in ("one   Read", "*as it is*", " Read    Read", "• @ada", "its threadhttps://b.example", "[divider]"):
        assert words in picture


def test_a_message_without_blocks_and_one_of_a_person() -> None:
    picture = shown({"ts": PARENT_TS, "user": "U0ADA", "text": "hello *there*"}, names={"U0ADA": "ada"})
    assert "ada  " in picture
    assert "APP" not in picture
    assert "hello there" in picture


def test_a_long_file_is_cut() -> None:
    message = said(ts=FILE_TS, files=[{"id": "F1", "name": "long.txt"}])
    picture = shown(message, files={"long.txt": "\n".join(f"line {number}" for number in range(1_000)).encode()})
    assert "line 23 " in picture
    assert "line 24 " not in picture
    assert "… 976 more lines" in picture


@settings(max_examples=50)
@given(
    st.text(max_size=80),
    st.sampled_from(["", "[bold]x[/bold]", "\x1b[2J\x1b]0;title\x07", "\x9b31m", "a\u202eb", "\r\b"]),
)
def test_nothing_shown_acts_on_the_terminal(some: str, nasty: str) -> None:
    words = some + nasty
    picture = shown(
        said(rich_text(section(text(words))), mrkdwn_section(words or "-"), files=[{"id": "F1", "name": words}]),
        files={words: words.encode("utf-8", "replace")},
        typed=words,
        typed_by=words,
        channel=words,
        names={"U0BOT": words},
    )
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", picture)
    if nasty.startswith("[bold]"):
        assert "[bold]x" in picture


def test_the_picture_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=80, record=True)
    view.show([said(rich_text(section(text("my-app & <co>"))))], {}, console)
    view.save_picture(console, tmp_path / "thread.svg")
    saved = (tmp_path / "thread.svg").read_text("utf-8")
    assert set(re.findall(r"https?://[^\"'\s]+", saved)) == {"http://www.w3.org/2000/svg"}
    assert "@font-face" not in saved
    assert 'stroke="rgba(29,28,29,0.25)"' in saved
    shown_there = "".join(ET.fromstring(saved).itertext()).replace("\xa0", " ")
    assert "my-app & <co>" in shown_there
