"""What a line editor gives away where it wraps its line, moves in it, or asks: the size of the window, and whether it counts
the colours of a prompt as columns. A change of the size goes to the terminal at once.
"""

from __future__ import annotations

import re

from bot.reading import pieces
from bot.reading.counted import columns_of_colours
from bot.reading.prompts import UNKNOWN, Prompt, Prompts
from bot.reading.screen import width_of
from bot.reading.sequences import CUF, CUU, SILENT
from bot.reading.terminal import Terminal
from bot.reading.walk import Window, Written
from bot.reading.window import (
    CURSOR_AT,
    FEWEST_BLANKS,
    MOST_ROWS,
    MOVES_CURSOR,
    NARROW,
    NARROWEST,
    NOT_COLOURS,
    USUAL,
    WRAP,
    columns_counted,
    columns_shown,
    higher,
    hint_width,
    last_row_written,
    marked_width,
    preview_width,
    reached_width,
    redrawn_width,
    typed_width,
    usual_width,
    wrapped_width,
    written_behind,
)

SHORT = 4096
SHORT_TYPED = 400  # with what its colours take
COMES_BACK = " \b\x1b["
WRAPS_BACK = " \b"
ENDS_AT_EDGE = re.compile(r"([^\x00-\x1f\x7f]+) \x1b\[A")
FULL_ROW = re.compile(r"\x1b\[A((?:\x1b\[C){9,})\x1b\[K[^\x00-\x1f\x7f]")
RISEN = re.compile(r"\x1b\[([0-9]{2,3})A")
GOES_FAR = re.compile(r"\x1b\[[0-9]*[A-D@P]")
WALKS = re.compile(rf"\x08|{GOES_FAR.pattern}")
STEPS_FORWARD = "C"
SEARCH_DISPLAY, MAKES_ROOM = re.compile(r"\([a-z -]*i-search\)`[^']*': "), re.compile(r"\x1b\[([0-9]*)([@P])\Z")
# The prompt of Scalingo's containers does not mark its colours as taking no room.
UNMARKED = re.compile(r"\x1b\[[0-9;]*mScalingo\x1b\[0?m:")
# Characters whose way is gone again: in a whole session, and for each Enter.
PATIENCE, MORE_PATIENCE = 1024 * 1024, 512


class Measure:
    def __init__(self, terminal: Terminal, prompts: Prompts) -> None:
        self._terminal = terminal
        self._prompts = prompts
        self.counts_colours = False  # the editor takes them for text
        self._cursor_row = 0  # the row in which the cursor was when a program asked
        self._colours_may_count = True  # nothing typed has passed the place where it would have been wrapped
        # By where the cursor went, at prompts whose colours take so many columns.
        self._refuted: set[Window] = set()
        self._colours = 0
        self._patience = PATIENCE

    # --- what tells the size by itself

    def answered(self, answer: str) -> None:
        """The terminal gave this answer."""
        for row in map(int, CURSOR_AT.findall(answer)):
            self._cursor_row = row
            if row > self._terminal.height:
                self._resize(height=higher(row))

    def drawn(self, text: str, came: str, *, edited: bool) -> None:
        """Before `text` is shown, and `came` since the line began; `edited`: by an editor that takes pastes in brackets."""
        if len(text) < SHORT:
            if (reached := reached_width(text)) > self._terminal.width:
                self._resize(width=reached)
            self._resize(width=preview_width(text))
            if (hinted := hint_width(text)) > self._terminal.width:
                self._resize(width=usual_width(hinted))
            # prompt_toolkit makes room down to the last row, writes a blank there, and comes back.
            if COMES_BACK in text and (risen := max(map(int, RISEN.findall(text)), default=0)) >= self._terminal.height:
                self._resize(height=min(max(self._cursor_row, 2) + risen, MOST_ROWS))
        if edited and CUU in text:
            self._resize(width=redrawn_width(came + text))

    def reaches_last_column(self, following: str) -> None:
        """prompt_toolkit is not sure to be where it is, before the last column: it returns, and goes there again."""
        forward = pieces.GOES_TO_COLUMN.match(following)
        line, place = self._terminal.line()
        if forward is not None and width_of(line[:place]) == int(forward[1]) >= NARROWEST:
            self._resize(width=int(forward[1]) + 1)

    def marked(self, piece: str) -> bool:
        """With it zsh or fish mark where their prompt begins, and return."""
        width = marked_width(piece + "\r") if FEWEST_BLANKS in piece else None
        self._resize(width=width)
        return width is not None

    # --- where the cursor goes

    def entered(self) -> None:
        self._patience += MORE_PATIENCE

    def walked(self, text: str, came: str, prompt: str | None) -> None:
        """Before `text` is shown in a line that is being typed at `prompt`, if that is known: where the cursor goes, there
        must be a place for it."""
        told = self._terminal.width_is_told or self._terminal.alternate
        if told or not (WALKS.search(text) or came.endswith(STEPS_FORWARD)):
            return
        if len(came) + len(text) > min(SHORT, self._patience) or self._stays_in_first_row(text, came):
            return
        found = self._stood(prompt) if prompt is not None else self._prompt_in(came) or self._prompt_in(text)
        if found is None:
            return
        self._patience -= len(came) + len(text)
        written = self._written(came + text, found.text)
        self._search_left(text, found.text, written.coloured)
        if written.is_known and not written.fits(self._terminal.width, counts_colours=self.counts_colours):
            self._look_for_window(written, text, came)

    def filled(self, text: str, came: str) -> None:
        """Before `text` is shown: a line was entered whose last row was full, so readline had wrapped behind it. It goes back
        to that row's last column, which tells the width, and writes it again."""
        full = FULL_ROW.match(text)
        if full is None or len(came) > SHORT:
            return
        width, line = len(full[1]) // len(CUF) + 1, came[came.rfind("\n") + 1 :]
        if columns := columns_shown(line.removesuffix("\r").removesuffix(" ")):
            self.counts_colours = columns % width != 0
        if width != self._terminal.width:
            if line == came:
                self._terminal.draw_again(came, width)
            self._resize(width=width)

    def _stays_in_first_row(self, text: str, came: str) -> bool:
        width = self._terminal.width
        if len(came) + len(text) < width:
            return pieces.GOES_UP.search(text) is None
        if self.counts_colours or "\b" not in text or GOES_FAR.search(text):
            return False
        shown = SILENT.sub("", came + text)
        return shown.isascii() and len(shown) < width

    def _look_for_window(self, written: Written, text: str, came: str) -> None:
        """Not the one that was thought: there it can't have gone so."""
        width = self._terminal.width
        likely = self.counts_colours or (self._colours_may_count and UNMARKED.search(came + text) is not None)
        widths = (width, *self._wrapped_in(text), *USUAL, *NARROW)
        windows = [Window(each, counts) for counts in (likely, not likely) for each in widths]
        if written.resized or written.colours != self._colours or self._refuted.issuperset(windows):
            self._refuted.clear()
        self._colours = written.colours
        window, refuted = written.window(window for window in windows if window not in self._refuted)
        self._refuted |= refuted
        if window:
            self.counts_colours = window.counts_colours
            if window.width != width and "\n" not in came and not written.resized:
                self._terminal.draw_again(came, window.width)
            self._resize(width=window.width)

    def _wrapped_in(self, text: str) -> list[int]:
        """Where the line ended at the edge, and readline goes up again: the widths in which it may fill its rows."""
        ended = ENDS_AT_EDGE.match(text)
        columns = self._terminal.line()[1] + len(ended[1]) if ended else 0
        return [columns // rows for rows in (1, 2, 3, 4) if columns % rows == 0 and columns // rows >= NARROWEST]

    def _written(self, came: str, prompt: str) -> Written:
        return Written(came, prompt[self._prompts.begins(prompt) :])

    def _stood(self, prompt: str) -> Prompt | None:
        """Whatever stood before the first key is one, though it looks like none."""
        return self._prompts.find(prompt) or (Prompt(prompt, UNKNOWN) if prompt.strip() else None)

    def _prompt_in(self, came: str) -> Prompt | None:
        """With which it began, or its last line did."""
        for start in dict.fromkeys((0, came.rfind("\n") + 1)):
            found = self._prompts.find(SILENT.sub("", came[start:].partition("\r")[0])) if came[start:] else None
            if found:
                return found
        return None

    def _search_left(self, text: str, prompt: str, coloured: str) -> None:
        """Where the display of a search gives way to the prompt again, readline makes as much room as it thinks that takes."""
        searched, room = SEARCH_DISPLAY.match(self._terminal.line()[0]), MAKES_ROOM.search(text.partition(coloured)[0])
        if searched and room and coloured in text:
            columns = searched.end() + int(room[1] or 1) * (1 if room[2] == "@" else -1)
            columns -= len(prompt) - len(prompt.rstrip())
            if columns in (len(prompt.rstrip()), len(coloured)):
                self.counts_colours = columns == len(coloured)

    # --- where a line should have wrapped

    def unwrapped(self, came: str, prompt: str) -> None:
        """All that `came` of a line was typed at `prompt`, key by key."""
        if self._colours_may_count and UNMARKED.search(came) and WRAP.search(came) is None:
            colours, width = columns_of_colours(came, prompt), self._terminal.width
            ends = columns_shown(SILENT.sub("", came)) + colours - 1
            self._colours_may_count = ends // width == (len(prompt) + colours) // width or not colours

    def typed(self, text: str, came: str) -> None:
        """Before `text` is shown, the echo of a key if it is short: where that goes on behind a full row, and nothing
        wrapped, the window is wider."""
        if len(text) != 1 or text < " " or self._terminal.width_is_told or self.counts_colours:
            return
        line, place = self._terminal.line()
        if self._colours_may_count and len(came) < SHORT_TYPED and UNMARKED.search(came) and WRAP.search(came) is None:
            found = self._prompts.find(line)
            counted = place + columns_of_colours(came, found.text) if found else 0
            self._colours_may_count = counted == 0 or counted % self._terminal.width > 0
        over = place % self._terminal.width
        # A blank alone in the next row may be of a wrap that comes in two pieces; libedit goes back over its own.
        over_blank = over == 0 and text > " " and not came.endswith(WRAPS_BACK)
        full = place >= self._terminal.width and (over_blank or (over == 1 and line[place - 1] == " "))
        narrow = len(line) < USUAL[-1] and width_of(line) == len(line)
        if full and narrow and WRAP.search(came) is None and not self._may_count(line, came):
            self._resize(width=next(usual for usual in USUAL if usual > len(line)))

    def _may_count(self, line: str, came: str) -> bool:
        """The window may be as it is thought, and the colours of the prompt counted: where the line would then have been
        wrapped it has not come to yet."""
        found = self._prompts.find(line)
        colours = columns_of_colours(came, found.text) if found else 0
        if found is None or not colours:
            return False
        width = self._terminal.width
        return (len(found.text) + colours) // width == (len(line) + colours - 1) // width

    # --- where a line wraps

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

    def wraps(self, wrap: re.Match[str], row: str, prompt: str, came: str) -> bool:
        """The editor wraps at `wrap`, a match of WRAP, and what stands there was shown before: the window has another width
        than was thought. `row`: of the cursor's row, as it came."""
        if self._terminal.width_is_told or (wrap["blank"] and self._fills_row(came, prompt)):
            return False
        line, place = self._terminal.line()
        asked = self._prompts.begins(prompt)
        shown = width_of(line[asked:place])
        above, written = last_row_written(row)
        known = self._prompts.learnt(line[:place] + " ") if wrap["blank"] else None
        if known and known.text == line[:place] + " ":
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
        if width and differs and self.counts_colours and self._fitted(came, width):
            self.counts_colours = False
            self._terminal.draw_again(came, width)
        self._resize(width=width)
        return differs

    def _fitted(self, came: str, width: int) -> bool:
        """The first row of the line, too, was wrapped in a window of this width, in which colours take no room."""
        first, wrapped, _ = came.partition(" \r")
        return bool(wrapped) and "\n" not in first and columns_shown(first) == width

    def wraps_at_return(self, prompt: str, piece: str, *, above: str, written: str, at_once: bool) -> bool:
        """The same where a line recorder cut: behind `piece`, which has come, readline returned because it had written a blank
        that wraps. `above`: the piece before, if that ended so; `written`: since the last new line; `at_once`: what
        comes next does."""
        width = self._terminal.width
        line, place = self._terminal.line()
        if "\x07" in SILENT.sub("", piece) or place <= len(prompt) or line[place - 1 : place] != " ":
            return False
        if self.counts_colours and not piece.endswith(" "):
            return False
        if self.counts_colours and (typed := typed_width(above, piece[:-1])):
            self._resize(width=typed)
            return True
        asked = self._prompts.begins(prompt)
        shown = width_of(line[asked : place - 1])
        drawn_anew = NOT_COLOURS.sub("", SILENT.sub("", piece)).startswith(line[: len(prompt)].rstrip())
        row = last_row_written((piece if drawn_anew else written)[:-1])[1]
        row = written_behind(line[:asked], row)
        told = wrapped_width(shown, row, width)
        if told not in (None, width) and row and not at_once:
            self._resize(width=told)
            self.wrapped(shown, row, told)
            return True
        fits = shown % width == 0 or told == width
        if fits:
            self.wrapped(shown, row, width)
        return fits

    def _fills_row(self, came: str, prompt: str) -> bool:
        """All that `came` of a line fills its last row."""
        if len(came) > SHORT or (found := self._prompts.find(prompt)) is None:
            return False
        written = self._written(came, found.text)
        return written.is_known and written.fills_row(self._terminal.width, counts_colours=self.counts_colours)

    def wrapped(self, shown: int, written: str, width: int) -> None:
        """A line editor wrapped where the window is `width` wide, after `shown` columns of which the log has `written`."""
        if MOVES_CURSOR.search(written):
            return  # so it tells no columns
        if shown % width and columns_counted(written) % width == 0:
            self.counts_colours = True
        elif shown % width == 0 and shown == columns_shown(written):
            self.counts_colours = False

    def _resize(self, *, width: int | None = None, height: int | None = None) -> None:
        self._terminal.resize(width or self._terminal.width, height or self._terminal.height)
