"""The lines above the cursor's: held as long as they may still be on the screen, then handed on in order."""

from __future__ import annotations

from collections.abc import Callable

HELD = 64 * 1024
# Rows leave the screen one by one, and are emitted a few at a time.
HANDFUL = 4 * 1024


class Scrollback:
    """Lines in UTF-8, which is how they leave. `emit` gets them in order, each once nothing can change it any more; a long
    one may come in several parts, of which only the last ends in a newline."""

    def __init__(self, emit: Callable[[bytes], None]) -> None:
        self.handful = HANDFUL  # bytes
        self.lines = 0  # whole ones, those that were handed on among them
        self._emit = emit
        self._blocks: list[bytes] = []  # of whole lines, held
        self._held = 0  # bytes in them
        self._leaving: list[bytes] = []  # handed on, and not emitted yet
        self._leaving_length = 0

    def keep(self, lines: bytes, height: int) -> None:
        """Hold whole lines; those that are more than a screen of `height` rows above the cursor leave."""
        self.lines += lines.count(b"\n")
        self._blocks.append(lines)
        self._held += len(lines)
        if self._held > HELD:
            self._flush(height)

    def _flush(self, height: int) -> None:
        text = b"".join(self._blocks)
        cut = len(text)
        for _ in range(height + 1):
            cut = text.rfind(b"\n", 0, cut)
            if cut < 0:
                break
        else:
            self._leave(text[: cut + 1])
            text = text[cut + 1 :]
        self._hold(text)
        if self._held > HELD:  # few lines, and very long ones
            self._leave(text)
            self._hold(b"")

    def last(self, count: int) -> list[str]:
        """The last `count` lines, as far as they are held."""
        return [line.decode() for line in self._last(count)]

    def _last(self, count: int) -> list[bytes]:
        lines: list[bytes] = []
        for block in reversed(self._blocks):
            wanted = count - len(lines)
            found = block.rsplit(b"\n", wanted + 1)[:-1]
            lines[:0] = found[-wanted:] if wanted else []
            if len(lines) == count:
                break
        return lines

    def take(self, count: int) -> list[str]:
        """The last `count` lines, as far as they are held, which go back to the screen; the others leave."""
        lines = self._last(count)
        text = b"".join(self._blocks)
        self._leave(text[: len(text) - sum(map(len, lines)) - len(lines)])
        self._hold(b"")
        self.lines -= len(lines)
        return [line.decode() for line in lines]

    def hand_on(self, text: bytes) -> None:
        """What comes below the lines that are held, of which there must be none, and leaves at once."""
        self.lines += text.count(b"\n")
        self._leave(text)

    def close(self) -> None:
        self._leave(b"".join(self._blocks))
        self._hold(b"")
        self._emit_leaving()

    def _hold(self, text: bytes) -> None:
        self._blocks = [text] if text else []
        self._held = len(text)

    def _leave(self, text: bytes) -> None:
        if not text:
            return
        self._leaving.append(text)
        self._leaving_length += len(text)
        if self._leaving_length > self.handful:
            self._emit_leaving()

    def _emit_leaving(self) -> None:
        self._emit(b"".join(self._leaving))
        self._leaving.clear()
        self._leaving_length = 0
