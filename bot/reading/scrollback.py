"""The lines above the cursor's: held as long as they may still be on the screen, then handed on in order."""

from __future__ import annotations

from collections.abc import Callable

HELD = 64 * 1024
# Rows leave the screen one by one, and are emitted a few at a time.
HANDFUL = 4 * 1024


class Scrollback:
    """`emit` gets the lines in order, each once nothing can change it any more; a long one may come in several parts,
    of which only the last ends in a newline."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        self.handful = HANDFUL  # characters
        self.lines = 0  # whole ones, those that were handed on among them
        self._emit = emit
        self._blocks: list[str] = []  # of whole lines, held
        self._held = 0  # characters in them
        self._leaving: list[str] = []  # handed on, and not emitted yet
        self._leaving_length = 0

    def keep(self, lines: str, height: int) -> None:
        """Hold whole lines; those that are more than a screen of `height` rows above the cursor leave."""
        self.lines += lines.count("\n")
        self._blocks.append(lines)
        self._held += len(lines)
        if self._held > HELD:
            self._flush(height)

    def _flush(self, height: int) -> None:
        text = "".join(self._blocks)
        cut = len(text)
        for _ in range(height + 1):
            cut = text.rfind("\n", 0, cut)
            if cut < 0:
                break
        else:
            self._leave(text[: cut + 1])
            text = text[cut + 1 :]
        self._hold(text)
        if self._held > HELD:  # few lines, and very long ones
            self._leave(text)
            self._hold("")

    def last(self, count: int) -> list[str]:
        """The last `count` lines, as far as they are held."""
        lines: list[str] = []
        for block in reversed(self._blocks):
            wanted = count - len(lines)
            found = block.rsplit("\n", wanted + 1)[:-1]
            lines[:0] = found[-wanted:] if wanted else []
            if len(lines) == count:
                break
        return lines

    def take(self, count: int) -> list[str]:
        """The last `count` lines, as far as they are held, which go back to the screen; the others leave."""
        lines = self.last(count)
        text = "".join(self._blocks)
        self._leave(text[: len(text) - sum(map(len, lines)) - len(lines)])
        self._hold("")
        self.lines -= len(lines)
        return lines

    def hand_on(self, text: str) -> None:
        """What comes below the lines that are held, of which there must be none, and leaves at once."""
        self.lines += text.count("\n")
        self._leave(text)

    def close(self) -> None:
        self._leave("".join(self._blocks))
        self._hold("")
        self._emit_leaving()

    def _hold(self, text: str) -> None:
        self._blocks = [text] if text else []
        self._held = len(text)

    def _leave(self, text: str) -> None:
        if not text:
            return
        self._leaving.append(text)
        self._leaving_length += len(text)
        if self._leaving_length > self.handful:
            self._emit_leaving()

    def _emit_leaving(self) -> None:
        self._emit("".join(self._leaving))
        self._leaving.clear()
        self._leaving_length = 0
