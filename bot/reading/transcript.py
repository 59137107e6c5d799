"""The transcript on its way out: whole lines to the masks, blanks at the ends of lines and empty last lines cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
LONGEST_LINE = 256 * 1024
CONTEXT = 1024


class Masks(Protocol):
    def feed(self, text: str) -> str: ...
    def line(self, text: str) -> str: ...


class Transcript:
    def __init__(self, write: Callable[[str], None], masks: Masks) -> None:
        self._write = write
        self._masks = masks
        self._parts: list[str] = []  # of a line that has not ended
        self._length = 0
        self._context = ""  # the end of what was written of a line that is too long to be held
        self._blank = 0  # empty lines that are only written if another one follows

    def feed(self, text: str) -> None:
        end = text.rfind("\n") + 1
        if end:
            whole = "".join((*self._parts, text[:end])) if self._parts else text[:end]
            self._parts, self._length = [], 0
            if self._context:
                first, _, whole = whole.partition("\n")
                self._long(first, last=True)
            self._lines(whole)
        if end < len(text):
            self._parts.append(text[end:])
            self._length += len(text) - end
            if self._length > LONGEST_LINE:
                self._long("".join(self._parts), last=False)

    def close(self) -> None:
        self.feed("\n")

    def _lines(self, text: str) -> None:
        if not text:
            return
        text = self._masks.feed(text)
        if " \n" in text:
            text = _without_blanks_at_ends(text)
        bare = text.rstrip("\n")
        if bare:
            self._write("\n" * self._blank + bare + "\n")
            self._blank = len(text) - len(bare) - 1
        else:
            self._blank += len(text)

    def _long(self, text: str, *, last: bool) -> None:
        """Part of a line too long to be held: cut at a blank, and masked together with what came before it."""
        cut = len(text) if last else (text.rfind(" ", len(text) - CONTEXT * 4) + 1 or len(text))
        part, rest = text[:cut], text[cut:]
        before = self._masks.line(self._context)
        masked = self._masks.line(self._context + part)
        shown = masked[len(before) :] if masked.startswith(before) else self._masks.line(part)
        self._write("\n" * self._blank + shown + ("\n" if last else ""))
        self._blank = 0
        self._context = "" if last else part[-CONTEXT:].partition(" ")[2] or part[-CONTEXT:]
        self._parts, self._length = ([rest] if rest else []), len(rest)


def _without_blanks_at_ends(lines: str) -> str:
    return "\n".join([part.rstrip(" ") for part in lines.split(" \n")])
