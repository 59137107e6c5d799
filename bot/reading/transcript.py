"""The transcript on its way out: whole lines to the masks, blanks at the ends of lines and empty last lines cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

LONGEST_HELD = 256 * 1024  # bytes
CONTEXT = 1024  # characters


class Masks(Protocol):
    def lines(self, data: bytes) -> bytes: ...
    def line(self, text: str) -> str: ...


class Transcript:
    """In and out in UTF-8; a piece never ends inside a character."""

    def __init__(self, write: Callable[[bytes], None], masks: Masks) -> None:
        self._write = write
        self._masks = masks
        self._parts: list[bytes] = []  # of a line that has not ended
        self._length = 0
        self._context = ""  # the end of what was written of a line that is too long to be held
        self._blank = 0  # empty lines that are only written if another one follows

    def feed(self, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        if end:
            whole = b"".join((*self._parts, data[:end])) if self._parts else data[:end]
            self._parts, self._length = [], 0
            if self._context:
                first, _, whole = whole.partition(b"\n")
                self._long(first.decode(), last=True)
            self._lines(whole)
        if end < len(data):
            self._parts.append(data[end:])
            self._length += len(data) - end
            if self._length > LONGEST_HELD:
                self._long(b"".join(self._parts).decode(), last=False)

    def close(self) -> None:
        self.feed(b"\n")

    def _lines(self, data: bytes) -> None:
        if not data:
            return
        data = _without_blanks_at_ends(self._masks.lines(data))
        bare = data.rstrip(b"\n")
        if bare:
            self._write(b"".join((b"\n" * self._blank, bare, b"\n")))
            self._blank = len(data) - len(bare) - 1
        else:
            self._blank += len(data)

    def _long(self, text: str, *, last: bool) -> None:
        """Part of a line too long to be held: cut at a blank, and masked together with what came before it."""
        cut = len(text) if last else (text.rfind(" ", len(text) - CONTEXT * 4) + 1 or len(text))
        part, rest = text[:cut], text[cut:].encode()
        before = self._masks.line(self._context)
        masked = self._masks.line(self._context + part)
        shown = masked[len(before) :] if masked.startswith(before) else self._masks.line(part)
        self._write(("\n" * self._blank + shown + ("\n" if last else "")).encode())
        self._blank = 0
        self._context = "" if last else part[-CONTEXT:].partition(" ")[2] or part[-CONTEXT:]
        self._parts, self._length = ([rest] if rest else []), len(rest)


def _without_blanks_at_ends(lines: bytes) -> bytes:
    first, *others = lines.split(b" \n")
    return b"\n".join([first.rstrip(b" "), *(part.rstrip(b" ") for part in others)]) if others else lines
