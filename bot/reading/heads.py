"""The upper line of a prompt of two lines. It has no sign of its own: it is known by how the last one began."""

from __future__ import annotations

import re

from bot.reading.likeness import number_alike
from bot.reading.prompts import DIGITS, Prompts
from bot.reading.sequences import SILENT

# How it often begins.
CORNER = re.compile(r"\s*[┌╭┏╔]")


class Heads:
    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._last = ""  # the upper line of the last prompt, if it may have had two
        self._headless = False  # a prompt came without one

    def stood(self, piece: str) -> None:
        """`piece` stood above the prompt at which keys were pressed, with an empty one between them."""
        head = SILENT.sub("", piece)
        # Of its prompts the last two had one: those before were others.
        again = self._prompts.in_shell and self._begins_as_last(head)
        self._last, self._headless = head, self._headless and not again

    def missed(self) -> None:
        """A prompt came without one."""
        self._headless = self._headless or self._prompts.in_shell

    def is_head(self, piece: str) -> bool:
        """It looks like the upper line of a prompt: it begins as the last one did."""
        shown = SILENT.sub("", piece)
        return CORNER.match(shown) is not None or (
            not self._headless and self._prompts.in_shell and self._begins_as_last(shown)
        )

    def _begins_as_last(self, head: str) -> bool:
        last, head = DIGITS.sub("0", self._last), DIGITS.sub("0", head)
        begin = last[: (2 * len(last) + 2) // 3]
        if begin == "" or head.startswith(begin):
            return begin != ""
        # A directory stands in its midst.
        alike = number_alike(last, head)
        return alike > 0 and alike + number_alike(last[:alike:-1], head[:alike:-1]) >= len(begin)
