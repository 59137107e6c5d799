"""The upper line of a prompt of two lines. It has no sign of its own: it is known by how the last one began."""

from __future__ import annotations

import re

from bot.reading.likeness import number_alike
from bot.reading.prompts import DIGITS, Prompts
from bot.reading.sequences import SILENT

# How it often begins; or it says whose prompt it is, and where: at the first prompt no other tells.
CORNER = re.compile(r"\s*[┌╭┏╔]")
SAYS_WHERE = re.compile(r"\S{0,60}\w@[\w.-]{1,100}\S?(?: \S{1,200})?\s*")
CLEARED = "\x1b[H\x1b[2J"  # readline's clear-screen draws the whole prompt anew


class Heads:
    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._last: str | None = None  # the upper line of the last prompt, if it may have had two
        self._headless = False  # a prompt came without one

    def stood(self, piece: str) -> None:
        """`piece` stood above the prompt at which keys were pressed, with an empty one between them."""
        head = _shown(piece)
        # Of its prompts the last two had one: those before were others.
        again = self._prompts.in_shell and self._begins_as_last(head)
        self._last, self._headless = head, self._headless and not again
        self._prompts.two_lines = bool(head.strip())

    def missed(self) -> None:
        """A prompt came without one."""
        self._headless = self._headless or self._prompts.in_shell
        self._last = self._last or ""

    def is_head(self, piece: str) -> bool:
        """It looks like the upper line of a prompt: it begins as the last one did."""
        shown = _shown(piece)
        if CORNER.match(shown) or (self._last is None and SAYS_WHERE.fullmatch(shown)):
            return True
        return not self._headless and self._prompts.in_shell and self._begins_as_last(shown)

    def _begins_as_last(self, head: str) -> bool:
        last, head = DIGITS.sub("0", self._last or ""), DIGITS.sub("0", head)
        begin = last[: (2 * len(last) + 2) // 3]
        if begin == "" or head.startswith(begin):
            return begin != ""
        # A directory stands in its midst.
        alike = number_alike(last, head)
        return alike > 0 and alike + number_alike(last[:alike:-1], head[:alike:-1]) >= len(begin)


def _shown(piece: str) -> str:
    return SILENT.sub("", piece.rpartition(CLEARED)[2])
