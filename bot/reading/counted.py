"""Prompts whose colours are not marked as taking no room: readline counts them, and draws the line where it would be if
they did take it, over its own prompt and what stands above. Here they take it, so all lands where readline meant it.
"""

from __future__ import annotations

import re

from bot.reading.screen import width_of
from bot.reading.terminal import Terminal

COLOURS = r"(?:\x1b\[[0-9;]*m|\x1b\(B)*+"
FILLER = "."
LONGEST = 16 * 1024


def as_meant(written: str, prompt: str, like: Terminal) -> str | None:
    """The line that begins with `prompt`, as the editor sees it; `written` is all that was shown since the prompt, which
    comes first, in a window of the same size as that of `like`. None if there is no such prompt in it."""
    if not prompt.strip() or len(written) > LONGEST:
        return None
    coloured = re.compile(COLOURS.join(("", *map(re.escape, prompt), "")))
    found = coloured.search(written)
    missing = len(found.group()) - len(prompt) if found else 0
    if found is None or missing == 0:
        return None
    terminal = Terminal(lambda _lines: None)
    terminal.feeds_return = like.feeds_return
    terminal.resize(like.width, like.height)
    padded = prompt + FILLER * missing
    terminal.feed(written[found.start() :].replace(found.group(), padded))
    terminal.join(lambda row: row.startswith(padded[: like.width]), terminal.lines)
    line, _ = terminal.line()
    return prompt + line[len(padded) :] if line.startswith(padded) and width_of(prompt) == len(prompt) else None
