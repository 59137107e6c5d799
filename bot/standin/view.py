"""A channel with a thread as Slack would show it, in the terminal or as a picture. Literal: nothing in a message acts on the terminal."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from bot.literal import visible

Json = Mapping[str, Any]
Names = Mapping[str, str]

FILE_LINES_SHOWN = 24

_MRKDWN = re.compile(
    r"<!date\^(?P<at>\d+)\^(?P<format>[^|>^]*)(?:\^[^|>]*)?\|(?P<fallback>[^>]*)>"
    r"|<(?P<mark>[@#!])(?P<id>[^|>]+)(?:\|[^>]*)?>"
    r"|<(?P<url>[^@#!|>][^|>]*)(?:\|(?P<label>[^>]*))?>"
    r"|`(?P<code>[^`\n]+)`"
    r"|(?<!\w)\*(?P<bold>[^*\n]+)\*(?!\w)"
)
_CODE = "magenta"
_LINK = "blue"
_MENTION = "blue"

# Slack's light theme, so that the picture looks like what it stands for.
_COLOURS = [
    (29, 28, 29),
    (192, 19, 67),
    (0, 122, 90),
    (165, 102, 0),
    (18, 100, 163),
    (192, 19, 67),
    (11, 76, 140),
    (97, 96, 97),
]
_THEME = TerminalTheme((255, 255, 255), (29, 28, 29), _COLOURS, [(97, 96, 97), *_COLOURS[1:]])
# Of this file alone: rich's own form fetches its font from elsewhere.
_PICTURE = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
  <style>
    .{unique_id}-matrix {{
      font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
      font-size: {char_height}px;
      line-height: {line_height}px;
    }}
    .{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
    {styles}
  </style>
  <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
  </defs>
  {chrome}
  <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix" xml:space="preserve">{matrix}</g>
  </g>
</svg>
"""


def show(
    messages: Sequence[Json],
    files: Mapping[str, bytes],
    console: Console,
    *,
    channel: str = "ops",
    typed: str = "",
    typed_by: str = "",
    names: Names | None = None,
) -> None:
    """`messages` as Slack's API has them, each parent before its replies; `files` by name; `names` of users by their id."""
    known = names or {}
    console.print(Rule(Text(f"# {visible(channel)}", style="bold"), align="left", style="bright_black"))
    if typed:
        console.print(Padding(Text.assemble((visible(typed_by), "bold"), "  ", (visible(typed), _CODE)), (1, 0, 0, 2)))
    for message in messages:
        in_thread = message.get("thread_ts", message.get("ts")) != message.get("ts")
        shown = Group(_author(message, known), *_body(message, known), *_files(message, files))
        console.print(Padding(_threaded(shown) if in_thread else shown, (1, 0, 0, 2)))
    console.print()


def save_picture(console: Console, path: Path, title: str = "Slack") -> None:
    """Of what a recording console was told to print. Raises OSError."""
    picture = console.export_svg(title=title, theme=_THEME, code_format=_PICTURE, unique_id="thread")
    # The window's frame is meant for a dark one: on white nobody would see it.
    path.write_text(
        picture.replace('stroke="rgba(255,255,255,0.35)"', 'stroke="rgba(29,28,29,0.25)"'), encoding="utf-8"
    )


def _threaded(shown: RenderableType) -> RenderableType:
    beside = Table.grid(padding=(0, 2, 0, 0))
    beside.add_column(style="bright_black")
    beside.add_column()
    beside.add_row("╰", shown)
    return beside


def _author(message: Json, names: Names) -> Text:
    user = str(message.get("username") or names.get(str(message.get("user")), message.get("user", "")))
    app = (" ", ("APP", "reverse")) if message.get("bot_id") else ()
    at = datetime.fromtimestamp(float(message.get("ts", 0))).astimezone()
    return Text.assemble((visible(user), "bold"), *app, "  ", (f"{at:%H:%M}", "bright_black"))


def _body(message: Json, names: Names) -> Iterator[RenderableType]:
    blocks = message.get("blocks") or []
    if not blocks and message.get("text"):
        yield _mrkdwn(str(message["text"]), names)
    for block in blocks:
        yield from _block(block, names)


def _block(block: Json, names: Names) -> Iterator[RenderableType]:
    match block.get("type"):
        case "rich_text":
            for part in block["elements"]:
                yield from _rich_part(part, names)
        case "section":
            text = _text_object(block["text"], names)
            yield Text.assemble(text, "  ", _button(block["accessory"])) if "accessory" in block else text
        case "context":
            line = Text("  ").join(_text_object(each, names) for each in block["elements"])
            line.stylize_before("bright_black")
            yield line
        case "actions":
            yield Text("  ").join(map(_button, block["elements"]))
        case other:
            yield Text(f"[{other}]", style="bright_black")


def _rich_part(part: Json, names: Names) -> Iterator[RenderableType]:
    match part["type"]:
        case "rich_text_preformatted":
            yield Panel(_rich_line(part, names), box=box.ROUNDED, border_style="bright_black", expand=False)
        case "rich_text_list":
            for item in part["elements"]:
                yield Padding(Text.assemble("• ", _rich_line(item, names)), (0, 0, 0, 2))
        case _:
            yield _rich_line(part, names)


def _rich_line(part: Json, names: Names) -> Text:
    return Text.assemble(*(_rich_element(each, names) for each in part["elements"]))


def _rich_element(element: Json, names: Names) -> Text:
    match element["type"]:
        case "user":
            return Text(f"@{_known(element['user_id'], names)}", style=_MENTION)
        case "link":
            return Text(_lines(str(element.get("text") or element["url"])), style=_LINK)
        case _:
            style = element.get("style", {})
            words = [_CODE] if style.get("code") else []
            words += [name for name in ("bold", "italic", "strike") if style.get(name)]
            return Text(_lines(str(element.get("text", ""))), style=" ".join(words))


def _button(element: Json) -> Text:
    return Text(f" {visible(str(element['text']['text']))} ", style="reverse")


def _text_object(text: Json, names: Names) -> Text:
    return _mrkdwn(str(text["text"]), names) if text["type"] == "mrkdwn" else Text(_lines(str(text["text"])))


def _mrkdwn(text: str, names: Names) -> Text:
    shown = Text()
    end = 0
    for match in _MRKDWN.finditer(text):
        shown.append(_unescaped(text[end : match.start()]))
        shown.append_text(_marked(match, names))
        end = match.end()
    return shown.append(_unescaped(text[end:]))


def _marked(match: re.Match[str], names: Names) -> Text:
    if match["at"]:
        return Text(_date(int(match["at"]), match["format"]))
    if match["mark"]:
        known = _known(match["id"], names)
        return Text(f"{'#' if match['mark'] == '#' else '@'}{known}", style=_MENTION)
    if match["url"]:
        return Text(_unescaped(match["label"] or match["url"]), style=_LINK)
    if match["code"]:
        return Text(_unescaped(match["code"]), style=_CODE)
    return Text(_unescaped(match["bold"]), style="bold")


def _date(at: int, form: str) -> str:
    """As in Slack, in the reader's own time zone."""
    local = datetime.fromtimestamp(at).astimezone()
    return form.replace("{date_short_pretty}", f"{local:%b} {local.day}, {local:%Y}").replace(
        "{time}", f"{local:%H:%M}"
    )


def _known(user_id: str, names: Names) -> str:
    return visible(names.get(user_id, user_id))


def _files(message: Json, files: Mapping[str, bytes]) -> Iterator[RenderableType]:
    for file in message.get("files") or ():
        name = str(file["name"])
        content = files.get(name, b"").decode("utf-8", "replace")
        yield Panel(
            Text("\n").join(_first_lines(content)),
            title=Text.assemble((visible(name), "bold"), f"  {len(files.get(name, b'')):,} bytes "),
            title_align="left",
            box=box.ROUNDED,
            border_style="bright_black",
        )


def _first_lines(content: str) -> Iterable[Text]:
    lines = content.removesuffix("\n").split("\n")
    shown = [Text(visible(line.expandtabs())) for line in lines[:FILE_LINES_SHOWN]]
    if more := len(lines) - len(shown):
        shown.append(Text(f"… {more:,} more lines", style="bright_black"))
    return shown


def _lines(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))


def _unescaped(text: str) -> str:
    return _lines(html.unescape(text))
