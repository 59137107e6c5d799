"""An Enter, and what is said of it once its line was left."""

from __future__ import annotations

from typing import Final, NamedTuple

from bot.reading.keys import Typed


class Entered(NamedTuple):
    """An Enter whose line has not been left yet. `prompt` is what stood before the cursor at the line's first key,
    None where the log does not tell."""

    time: str
    typed: Typed
    prompt: str | None
    lines: int = 0  # how many lines stood above it then
    right: str = ""  # a prompt at the right edge, which stood behind the cursor then
    full_screen: bool = False  # a full-screen program had the keyboard
    ahead: bool = False  # pressed while an earlier Enter still waited for its line
    nothing_below: bool = False  # the cursor then
    line_at_enter: str = ""  # the cursor's, when that was pressed


class Verdict(NamedTuple):
    """What a program received; `blind`: nothing of it was shown."""

    text: str
    prompt: str
    sure: bool = True
    blind: bool = False


# No program received a line: Enter alone, a pager's key, a search.
NOTHING: Final = Verdict("", "")


def blind(prompt: str) -> Verdict:
    """An answer to `prompt` that was typed without an echo: nobody is told what it is."""
    return Verdict("", prompt, blind=True)
