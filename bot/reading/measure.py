"""What a line editor gives away where it wraps its line, moves in it, or asks: the size of the window, and whether it counts
the colours of a prompt as columns. A change of the size goes to the terminal at once.
"""

from __future__ import annotations

import re

from bot.reading.counted import columns_of_colours
from bot.reading.pieces import ASIDE
from bot.reading.prompts import Prompts
from bot.reading.screen import width_of
from bot.reading.sequences import SILENT
from bot.reading.terminal import Terminal
from bot.reading.window import (
    CURSOR_AT,
    MOVES,
    UP,
    USUAL,
    WRAP,
    columns_counted,
    columns_shown,
    higher,
    last_row_written,
    reached_width,
    redrawn_width,
    typed_width,
    wrapped_width,
    written_behind,
)

SHORT = 4096
DOWN = "\x1b[1B"
# Within its row.
BACK = ("\b", "\r")
RETURNS = re.compile(r"\r(?:(?:\x1b\[C)++|\x1b\[([0-9]{1,3})C)")
GOES_BACK = re.compile(rf"\x08++|{RETURNS.pattern}")
INSERTS, SHORTENS = re.compile(r"\x1b\[([0-9]{1,3})@"), re.compile(r"\x1b\[[0-9]*[JKP]|\n")


class Measure:
    def __init__(self, terminal: Terminal, prompts: Prompts) -> None:
        self._terminal = terminal
        self._prompts = prompts
        self.counts_colours = False  # the editor takes them for text
        self._asks = False  # a program did, where the cursor is
        self._returned = 0  # from this place, by a return that came alone

    def asked(self, answer: str) -> None:
        """The terminal gave this answer."""
        for row in map(int, CURSOR_AT.findall(answer)):
            self._asks = True
            if row > self._terminal.height:
                self._resize(height=higher(row))

    def drawn(self, text: str, came: str, *, edited: bool) -> None:
        """Before `text` is shown, and `came` since the line began; `edited`: by an editor that takes pastes in brackets."""
        if len(text) < SHORT and (reached := reached_width(text)) > self._terminal.width:
            self._resize(width=reached)
        # Whoever asks knows when the cursor is in the last row, and goes down no more.
        if DOWN in text and self._asks and self._terminal.lowest:
            self._resize(height=higher(self._terminal.height))
        if UP in text and edited:
            self._resize(width=redrawn_width(came + text))

    def moved(self, text: str, came: str, prompt: str | None) -> None:
        """Before `text` is shown in a line that is being typed at `prompt`, if that is known: what the way back within a row
        tells of what the editor thinks that it holds."""
        returned, self._returned = self._returned, 0
        text = "\r" + text if returned else text
        returns = "\r\x1b[" in text
        if not (returns or len(text) == 1 or text[:1] in BACK or "@" in text):
            return
        line, place = self._terminal.line()
        place = returned or place
        if text == "\r":
            self._returned = place
            return
        if returns and not self.counts_colours and ASIDE.search(text) is None:
            self.counts_colours = self._strays(text, line, place, prompt)
        self._resize(width=self._wider(text, line, place, came))

    def _strays(self, text: str, line: str, place: int, prompt: str | None) -> bool:
        """It returns to a column in its own prompt, or behind the line: it takes the prompt for a longer one."""
        found = self._prompts.find(line if prompt is None else prompt)
        back = RETURNS.search(text, 0, SHORT)
        if back is None or found is None or place >= self._terminal.width or not line.startswith(found[0].rstrip()):
            return False
        return not width_of(found[0]) <= _columns_right(back) <= width_of(line) + len(text[: back.start()])

    def _wider(self, text: str, line: str, place: int, came: str) -> int | None:
        """The usual width of a window in which it need not go up a row, or wrap, where it would have in this one."""
        width, reached, right = self._terminal.width, len(line) + 1, 0
        if self._terminal.width_is_told or self.counts_colours or len(line) >= USUAL[-1] or width_of(line) > len(line):
            return None
        longer = len(line) + _inserted(text)
        if len(line) < width < longer:
            goes_on, reached = True, longer  # nothing that it shows is pushed over the edge
        elif place < width:
            return None
        elif goes_back := GOES_BACK.match(text):
            right = _columns_right(goes_back)
            goes_on = max(right, goes_back.group().count("\b")) > place % width
        else:
            goes_on = len(text) == 1 and text > " " and place % width == 0 and WRAP.search(came) is None
        if not goes_on or self._may_count(line, came, right):
            return None
        return next((usual for usual in USUAL if usual >= reached), None)

    def _may_count(self, line: str, came: str, right: int) -> bool:
        """The window may be as it is thought, and the colours of the prompt counted: where the line would then have been
        wrapped it has not come to yet. But who goes `right` up to where the prompt ends counts none."""
        found = self._prompts.find(line)
        colours = columns_of_colours(came, found[0]) if found else 0
        if found is None or not colours or right == len(found[0]):
            return False
        width = self._terminal.width
        return (len(found[0]) + colours) // width == (len(line) + colours - 1) // width

    def prompted(self, came: str) -> None:
        """A first key is pressed behind `came`: a prompt that fills its row, if its colours are counted, is wrapped before
        anything is typed at it."""
        if not came.endswith(" \r") or len(came) > SHORT:
            return
        _, prompt = last_row_written(came[:-2])
        counted, shown = columns_counted(prompt), SILENT.sub("", prompt)
        fills = counted % self._terminal.width == 0 or counted in USUAL
        if fills and counted != width_of(shown) and self._prompts.find(shown) is not None:
            self.counts_colours = True
            self._resize(width=counted if counted % self._terminal.width else None)

    def wraps(self, wrap: re.Match[str], row: str, prompt: str) -> bool:
        """The editor wraps at `wrap`, a match of WRAP, and what stands there was shown before: the window has another width
        than was thought. `row`: of the cursor's row, as it came."""
        line, place = self._terminal.line()
        asked = self._prompts.begins(prompt)
        shown = width_of(line[asked:place])
        above, written = last_row_written(row)
        known = self._prompts.known(line[:place] + " ") if wrap["blank"] else None
        if known and known[0] == line[:place] + " ":
            return False  # the blank is the prompt's own
        if wrap["column"]:
            shown = shown + 1 if shown == int(wrap["column"]) and "\b" not in written else 0
        written = written_behind(line[:asked], written)
        width = typed_width(above, written) if self.counts_colours and wrap["blank"] else None
        if width is None:
            width = wrapped_width(shown, written if wrap["blank"] else "", self._terminal.width)
            if wrap["blank"]:
                self.wrapped(shown, written, width or self._terminal.width)
        differs = width not in (None, self._terminal.width)
        self._resize(width=width)
        return differs

    def wrapped(self, shown: int, written: str, width: int) -> None:
        """A line editor wrapped where the window is `width` wide, after `shown` columns of which the log has `written`."""
        if MOVES.search(written):
            return  # so it tells no columns
        if shown % width and columns_counted(written) % width == 0:
            self.counts_colours = True
        elif shown % width == 0 and shown == columns_shown(written):
            self.counts_colours = False

    def _resize(self, *, width: int | None = None, height: int | None = None) -> None:
        self._terminal.resize(width or self._terminal.width, height or self._terminal.height)


def _inserted(text: str) -> int:
    """How many columns of room `text` makes, if it takes none away."""
    if "@" not in text or SHORTENS.search(text, 0, SHORT):
        return 0
    return sum(map(int, INSERTS.findall(text, 0, SHORT)))


def _columns_right(back: re.Match[str]) -> int:
    return back.group().count("C") if back[1] is None else int(back[1])
