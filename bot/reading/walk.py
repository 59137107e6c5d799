"""The way that readline's cursor goes in a window of some width. A line editor knows where its cursor is: one that goes to a
place that its line does not have is in another window, or counts the colours of its prompt as columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from bot.reading.counted import coloured_prompt
from bot.reading.pieces import ASIDE
from bot.reading.repaints import narrow
from bot.reading.screen import width_of

STEP = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)|(?P<back>\x08+)|(?P<control>[\r\n])"
    r"|\x1b\[(?P<count>[0-9]{0,3})(?P<final>[A-D@PK])|\x1b(?:\[[0-9;?]*[a-zA-Z]|[()][0-9A-Z])"
)
# Readline writes none of these.
OTHERS = re.compile(r"\x1b\[(?:[0-9]*[DGH]|\?25)")
ANEW = "\x1b[K\r"
# By the letters of their control sequences, or what they are themselves.
UP, DOWN, FORWARD, BACK, INSERT, DELETE, ERASE = "ABCD@PK"
WRITE, RETURN, FEED, PROMPT, SEARCH = "text", "\r", "\n", "prompt", "search"
MOVES = (UP, FORWARD, BACK, RETURN)
Step = tuple[str, int]


class Window(NamedTuple):
    width: int
    counts_colours: bool  # of the prompt, as columns


class Written:
    """What was written of a line, from a prompt on."""

    def __init__(self, written: str, prompt: str) -> None:
        self.coloured = coloured = coloured_prompt(written, prompt).rstrip()
        parts = written.split(coloured) if coloured else [written]
        # A window that was resized meanwhile has the whole line drawn anew.
        self.resized = max((number for number, part in enumerate(parts[:-1]) if part.endswith(ANEW)), default=0)
        drawn = parts[self.resized + 1 :]
        self.is_known = all(narrow(part) and not OTHERS.search(part) for part in drawn) and bool(drawn)
        # Of the prompt without the blank at its end, over which readline may well step; and if its colours are counted.
        self._columns = (width_of(prompt.rstrip()), len(coloured))
        self._blanks = len(prompt) - len(prompt.rstrip())
        self._steps = [step for part in drawn for step in ((PROMPT, 0), *_steps_in(part))]
        # Where colours take no room, it may write the prompt again only to go to its end.
        self._marks_colours = any(part.endswith("\r") and ASIDE.search(part) is None for part in drawn[:-1])

    @property
    def colours(self) -> int:
        """How many columns the colours of the prompt take if they are counted."""
        return self._columns[1] - self._columns[0]

    def fits(self, width: int, *, counts_colours: bool) -> bool:
        """The cursor can have gone so in a window of this width."""
        return self._walk(width, counts_colours) is not None

    def fills_row(self, width: int, *, counts_colours: bool) -> bool:
        """The cursor is behind a full row, so readline goes on in the next one."""
        walk = self._walk(width, counts_colours)
        return walk is not None and walk.full

    def _walk(self, width: int, counts_colours: bool) -> Walk | None:
        walk = Walk(self._columns[counts_colours], self._blanks, width)
        return walk if walk.goes(self._steps) else None

    def window(self, windows: Iterable[Window]) -> tuple[Window | None, set[Window]]:
        """The first of `windows` in which it can, better one in which it went to the prompt's end; and those in which it can't."""
        found, refuted = None, set()
        for window in windows:
            if window.counts_colours and (self.colours == 0 or self._marks_colours):
                continue
            walk = self._walk(*window)
            if walk is None:
                refuted.add(window)
            elif walk.went_home:
                return window, refuted
            else:
                found = found or window
        return found, refuted


def _steps_in(written: str) -> list[Step]:
    """What in it moves the cursor, or needs it somewhere, each with how often or over how many columns."""
    steps: list[Step] = []
    for step in STEP.finditer(written):
        if text := step["text"]:
            steps += [(SEARCH, 0)] if ASIDE.search(text) else []
            steps.append((WRITE, width_of(text)))
        elif back := step["back"]:
            steps.append((BACK, len(back)))
        elif control := step["control"]:
            steps.append((control, 1))
        elif final := step["final"]:
            count = int(step["count"] or (final != ERASE))
            if steps and steps[-1][0] == final and final in (FORWARD, UP):
                count += steps.pop()[1]
            steps.append((final, count))
    return steps


class Walk:
    """Behind a prompt that takes the first `begins` columns of its line, and `blanks` more."""

    def __init__(self, begins: int, blanks: int, width: int) -> None:
        self._begins = begins
        self._home = begins + blanks
        self._width = width
        self._row = self._column = 0  # in the column `width` the next character wraps
        self._ends: dict[int, int] = {0: 0}  # of the rows of the line
        self._left = False
        self._searching = False  # its display stands in place of the prompt
        self._over = False  # it wrote over the line as it does only at its end
        self._went = -1  # to this place, without writing
        self._before = ("", "")  # the steps before the last one

    @property
    def went_home(self) -> bool:
        """To where the prompt ends, the last time that it did not only write."""
        return self._went == self._home

    @property
    def full(self) -> bool:
        return self._column == self._width

    @property
    def _place(self) -> int:
        return self._row * self._width + self._column

    @property
    def _end(self) -> int:
        return max(row * self._width + end for row, end in self._ends.items() if end or not row)

    def goes(self, steps: Iterable[Step]) -> bool:
        """False if that leads out of the line."""
        step = ""
        for step, count in steps:
            if not self._goes(step, count):
                return False
        # A line recorder cuts where it returns, which readline does after it went up.
        home = step in (RETURN, UP) or self._searching or self._place >= self._home or step == PROMPT
        return self._left or (home and not self._over)

    def _goes(self, step: str, count: int) -> bool:
        if self._left and step != PROMPT:
            return True
        self._over = False
        inside = self._searching or not 0 < self._place < self._begins or step not in (WRITE, INSERT, DELETE, ERASE)
        if step == WRITE:
            last = self._before == (RETURN, FORWARD) and not self._searching
            self._write(count)
            self._over = last and self._place < self._end
        elif step == PROMPT:
            if self._left or self._place:
                self._row = self._column = 0
                self._ends = {0: 0}
            self._left = self._searching = False
            self._write(self._begins)
        elif step == SEARCH:
            self._searching = True
        elif step == RETURN:
            self._column = 0
        elif step == BACK:
            inside = self._column < self._width  # from behind a full row it would have wrapped
            self._column -= count
        elif step == FORWARD:
            self._column += count
            inside = self._place <= self._end
        elif step == UP:
            self._row -= count
        elif step in (FEED, DOWN):
            self._row += count
            self._left = self._row not in self._ends
        elif step == ERASE:
            if count == 0:
                self._ends[self._row] = min(self._ends.get(self._row, 0), self._column)
        else:
            end = self._ends.get(self._row, 0) + (count if step == INSERT else -count)
            pushed = end > self._width and self._row == max(self._ends)  # over the edge, where nothing takes it up
            inside = inside and not pushed
            self._ends[self._row] = min(max(end, self._column), self._width)
        if step in MOVES:
            self._went = self._place
        self._before = (self._before[1], step)
        return inside and self._row >= 0 and 0 <= self._column < self._width + (step in (WRITE, PROMPT))

    def _write(self, count: int) -> None:
        while count:
            if self._column == self._width:
                self._row, self._column = self._row + 1, 0
            fits = min(count, self._width - self._column)
            self._column += fits
            count -= fits
            self._ends[self._row] = max(self._ends.get(self._row, 0), self._column)
