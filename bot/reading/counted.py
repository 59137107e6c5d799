"""Prompts whose colours are not marked as taking no room: readline counts them, and draws the line where it would be if
they did take it, over its own prompt and what stands above. Here they take it, so all lands where readline meant it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.reading.screen import width_of
from bot.reading.terminal import Terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*m|\x1b\(B")
FILLER = "."
MOST_ROWS_ABOVE = 40


class Meant(NamedTuple):
    """The line as its editor believes that it stands."""

    line: str  # the prompt and what follows
    has_rows_below: bool  # the cursor is in one of its upper rows
    wraps: bool  # the cursor is behind a blank in the first column, which the editor writes to go on in the next row


def columns_of_colours(written: str, prompt: str) -> int:
    """How many columns the colours of `prompt` take, as it was `written`, if they are counted."""
    return len(coloured_prompt(written, prompt)) - len(prompt)


def coloured_prompt(written: str, prompt: str) -> str:
    """`prompt` as it was `written`, with its colours; without any if it was not."""
    if not prompt.strip() or width_of(prompt) != len(prompt) or (at := COLOUR.sub("", written).find(prompt)) < 0:
        return prompt
    begin, end = at, at + len(prompt)
    for colour in COLOUR.finditer(written):
        if colour.start() > end:
            break
        begin += len(colour.group()) * (colour.start() < begin)
        end += len(colour.group())
    return written[begin:end]


def as_meant(written: str, prompt: str, like: Terminal) -> Meant | None:
    """The line that begins with `prompt`, as the editor sees it; `written` is all that was shown since the prompt, which
    comes first, in a window of the same size as that of `like`. None if there is no such prompt in it."""
    missing = columns_of_colours(written, prompt)
    if missing == 0:
        return None
    # Over the blank at its end the cursor may well step.
    coloured, padded = coloured_prompt(written, prompt).rstrip(), prompt.rstrip() + FILLER * missing
    blanks = len(prompt) - len(prompt.rstrip())
    terminal = Terminal(lambda _lines: None)
    terminal.feeds_return = like.feeds_return
    terminal.resize(like.width, like.height)
    terminal.feed(written[written.find(coloured) :].replace(coloured, padded))
    terminal.join(lambda row: row.startswith(padded[: like.width]), terminal.lines)
    line, place = terminal.line()
    if line.startswith(padded):
        below = place // like.width < (len(line.rstrip()) - 1) // like.width
        wraps = place % like.width == 1 and line[place - 1 : place] == " "
        # Once it is drawn anew somewhere else, that is where the line begins.
        return Meant(prompt + line[line.rfind(padded) + len(padded) + blanks :], below, wraps)
    if not line.strip():  # the cursor has left it
        above = next((row for row in reversed(terminal.above(min(terminal.lines, MOST_ROWS_ABOVE))) if row.strip()), "")
        return Meant(prompt + above[len(padded) + blanks :], False, False) if above.startswith(padded) else None
    return None
