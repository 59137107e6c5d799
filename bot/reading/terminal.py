"""What a person saw, line by line. Most text moves the cursor nowhere and costs one substitution; cells are drawn only
while something moves it, and what happens on the alternate screen is left out.

In here `\\n` means "carriage return and line feed"; a bare line feed is `\\v`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from bot.reading.progress import supersedes
from bot.reading.repaints import last_frame, last_states, narrow, overlaid, without_erased
from bot.reading.screen import TAB, Screen, width_of
from bot.reading.scrollback import Scrollback
from bot.reading.sequences import (
    C1_INTRODUCER,
    CONTROL,
    DRAWING_SETS,
    ERASED_LINE,
    LEAVES_ALTERNATE,
    LONGEST_SEQUENCE,
    OVERPRINT_TOKEN,
    OVERPRINTING,
    SILENT,
    SILENT_BUT_SETS,
    SILENT_BUT_SETS_BYTES,
    SILENT_BYTES,
    SILENT_CONTROLS,
    UNEVEN,
    UNFINISHED,
    Controls,
    controls_in,
    may_hold_c1,
    only_returns,
)
from bot.reading.window import (
    FEWEST_ROWS,
    MOST_COLUMNS,
    MOST_ROWS,
    drawn_width,
    last_row,
    marked_width,
    painted_height,
    painted_width,
    usual_width,
)

WIDTH, HEIGHT = 80, 24
# Leaving the cells early is what makes colour and progress cheap.
QUIET_LINES = 3
# A line longer than this is handed on in parts.
LONGEST_UNBROKEN = 16 * 1024
LARGE_DRAWING = 16 * 1024  # a program that drew so much has been to its last row
MODES = "\x1b[?"
ERASE_TO_END = "\x1b[K"
LAST_PAGE = "(END)"  # which need not be a full one
FIRST_COLUMN = ("\r", "\x1b[G", "\x1b[1G")


class Terminal:
    """`emit` gets the lines as Scrollback hands them on."""

    def __init__(self, emit: Callable[[bytes], None], note: Callable[[bool], str] = lambda _begins: "") -> None:
        """`note` is told when the alternate screen begins and when it ends; what it then says stands for it."""
        self.width, self.height = WIDTH, HEIGHT
        self.scrollback = Scrollback(emit)
        self._note = note
        self._line = ""  # the cursor's line; where the cursor is not at its end, a return and what stands before it
        self._screen: Screen | None = None
        self._seen: tuple[str, int] | None = None  # the cursor's line and place, as they were asked for
        self._quiet = 0
        self._lowest = 0  # row that a full-screen program went to
        self._drawn = 0  # characters of what it drew
        self._unfinished = ""
        self._bare_feeds = False
        self._draws = False  # with DEC's line drawing set: from then on it matters which set is chosen
        self.feeds_return = False  # LNM: every line feed returns, the log has no others
        self.alternate = False
        self.keypad = False
        self.width_is_told = False  # by a shell, at each of its prompts
        self._page: int | None = None  # how many lines stood above a pager's first one

    # --- what the session asks

    def line(self) -> tuple[str, int]:
        """The text of the cursor's line, its rows joined, and the cursor's place in that text."""
        if self._seen is None:
            self._seen = self._screen.line() if self._screen is not None else self._settled_line()
        return self._seen

    def join(self, begins: Callable[[str], bool], above: int) -> None:
        """Make one line of the rows that a line editor broke, if they begin as `begins` says."""
        if self._screen is not None:
            self._seen = None
            self._screen.join(begins, above)

    def _settled_line(self) -> tuple[str, int]:
        text, place = _overprint(self._line) if "\r" in self._line else (self._line, len(self._line))
        return (text, place) if "\t" not in text else (_expand(text), len(_expand(text[:place])))

    def above(self, count: int) -> list[str]:
        """The last `count` lines above the cursor's, as far as they are still on the screen."""
        return self._screen.above(count) if self._screen is not None else self.scrollback.last(count)

    def below(self) -> bool:
        """Something stands on the screen below the cursor's row."""
        return self._screen is not None and self._screen.below()

    @property
    def lines(self) -> int:
        """How many whole lines the transcript has, with those that are still on the screen."""
        if self._screen is not None:
            below = self._screen.rows[1 : self._screen.y + 1]  # each that is not wrapped ends a line
            return self.scrollback.lines + [row.wrapped for row in below].count(False)
        return self.scrollback.lines

    def resize(self, width: int, height: int) -> None:
        if (width, height) == (self.width, self.height):
            return
        line, place = self.line() if self._screen is not None else ("", 0)
        self._leave_cells(force=True)
        self._seen = None
        self.width, self.height = width, height
        if place < len(line.rstrip()) and self._line.rstrip() == line.rstrip():
            self._enter_cells(line, place)
            self._line = ""

    def draw_again(self, came: str, width: int) -> None:
        """The cursor's line, all that `came` of it, in a window of another width."""
        self._leave_cells(force=True)
        self._line, self.width = "", width
        self.feed(came)

    # --- feeding

    def feed(self, text: str) -> None:
        self._seen = None
        if self.feeds_return and self._passes():
            if text == "\n":
                self._keep(self._line + text)
                self._line = ""
                return
            if not (no_controls := Controls(text)):
                self._pass(text, 0, no_controls)
                return
        if "\r" in text and ("   \r" in text or "⏎" in text):
            width = marked_width(text)
            if width is not None:
                self.width_is_told = True
                self.resize(width, self.height)
        alternate = self.alternate
        text = self._whole(text)
        at = self._skip(text, 0) if alternate else 0
        text = self._normal(text[at:] if at else text)
        if "\x1b" in text:
            height = None if alternate else painted_height(text)
            if height is not None:
                self.resize(self.width, height)
            width = 0 if alternate else max(painted_width(text, self.width), drawn_width(text, self.width))
            if self.width < width <= MOST_COLUMNS:
                self.resize(usual_width(width), self.height)
            if ERASE_TO_END in text and self._passes():
                bare = text.replace(ERASE_TO_END, "")
                text = text if Controls(bare) else bare
        controls: Controls | None = None  # asked for where no cells are drawn
        at = 0
        while at < len(text):
            if self.alternate:
                at = self._skip(text, at)
            elif self._screen is None:
                controls = Controls(text) if controls is None else controls
                at = self._pass(text, at, controls)
            else:
                at = self._draw(text, at)

    def pass_lines(self, lines: bytes) -> bool:
        """Feed lines in UTF-8 that nothing controls, but for tabs and their ends; False if they need more than that."""
        if not self._passes() or self._line or not self.feeds_return:
            return False
        if controls := controls_in(lines):
            # They only go forward, so what they erase to the end is nothing: `grep` does so.
            lines = lines.replace(ERASE_TO_END.encode(), b"")
            if controls.strip(b"\x1b") or b"\x1b" in lines:
                return False
        self._seen = None
        end = lines.rfind(b"\n") + 1
        if end:
            self._keep_lines(lines[:end])
        self._set_line(lines[end:].decode())
        return True

    def asks_for_key(self) -> None:
        """Somebody presses one at what is shown: a pager that draws on the normal screen has filled the window before it
        asked for the first one, in the last row."""
        if self._page is None:
            return
        count, self._page = self.lines - self._page, None
        if not 0 < count < MOST_ROWS or LAST_PAGE in self.line()[0]:
            return
        above = self.above(count)
        rows = sum(max(1, -(-width_of(line) // self.width)) for line in above)
        if len(above) == count and self.height <= rows < MOST_ROWS:
            self.resize(self.width, rows + 1)

    def _passes(self) -> bool:
        """What comes needs no cells, as far as it goes by what came."""
        return self._screen is None and not (self.alternate or self._unfinished or "\r" in self._line)

    def close(self) -> None:
        """Hand on everything: the session has ended."""
        if self.alternate:
            self._mark()
        self._leave_cells(force=True)
        self._keep(self._settled_line()[0] + "\n")
        self._line, self._seen = "", None
        self.scrollback.close()

    def _whole(self, text: str) -> str:
        """`text` without a sequence, or half of `\\r\\n`, that its end cuts; what was cut before is put in front."""
        held, self._unfinished = self._unfinished, ""
        text = held + text
        if text.endswith("\r"):
            self._unfinished = "\r"
            return text[:-1]
        cut = 0 if held and UNFINISHED.match(text) else _unfinished(text)
        if cut < len(text):
            rest = text[cut:]
            # Nobody reads what is in the middle of a sequence that long.
            self._unfinished = rest if len(rest) < LONGEST_SEQUENCE else rest[:2] + rest[-300:]
            return text[:cut]
        return text

    def _normal(self, text: str) -> str:
        """`text` without what shows nothing, its line ends as this module writes them."""
        if "\x1b" in text:
            bare = text if self._draws else SILENT.sub("", text)
            if not self._draws and "\x1b" in bare:
                self._draws = any(chosen in bare for chosen in DRAWING_SETS)
            text = SILENT_BUT_SETS.sub("", text) if self._draws else bare
            text = without_erased(text, self.width) if "\x1b" in text else text
        for control in SILENT_CONTROLS:
            if control in text:
                text = text.replace(control, "")
        fed = text.replace("\r\n", "\n")
        if self.feeds_return:
            return fed
        if fed != text:
            self._bare_feeds = True
            if len(text) - len(fed) == fed.count("\n"):
                return fed
            return text.replace("\r\n", "\0").replace("\n", "\v").replace("\0", "\n")
        # Where nothing ever returns, nobody meant a staircase: the session had no terminal, or its log lost them.
        return text.replace("\n", "\v") if self._bare_feeds and "\n" in text else text

    def without_silent(self, lines: bytes) -> bytes:
        """`lines` without the sequences that move and show nothing; choosing a character set does once one was drawn with."""
        bare = lines if self._draws else SILENT_BYTES.sub(b"", lines)
        if not self._draws and b"\x1b" in bare:
            self._draws = any(chosen.encode() in bare for chosen in DRAWING_SETS)
        return SILENT_BUT_SETS_BYTES.sub(b"", lines) if self._draws else bare

    def _skip(self, text: str, at: int) -> int:
        """Leave out what is drawn on the alternate screen."""
        end = LEAVES_ALTERNATE.search(text, at)
        if self._drawn < LARGE_DRAWING and self._lowest < MOST_ROWS:
            until = min(end.start() if end else len(text), at + LARGE_DRAWING - self._drawn)
            self._drawn += until - at
            self._lowest = max(self._lowest, last_row(text[at:until]))
        if end is None:
            return len(text)
        self.alternate = False
        if self._screen is not None:
            self._screen.feed(end.group())
        self._mark()
        if FEWEST_ROWS <= self._lowest <= MOST_ROWS:
            self.resize(self.width, self._lowest)
        self._lowest = self._drawn = 0
        return end.end()

    def _pass(self, text: str, at: int, controls: Controls) -> int:
        """Text that needs no cells: as many lines as there are, up to where cells are drawn."""
        while at < len(text):
            if "\r" not in self._line:
                hot = controls.after(at)
                start = text.rfind("\n", at, hot) + 1
                if start:
                    self._keep(self._line + text[at:start])
                    self._line, at = "", start
                if hot == len(text):
                    self._set_line(self._line + text[at:])
                    return hot
            end = text.find("\n", at)
            line = self._line + text[at : end if end >= 0 else len(text)]
            if ERASE_TO_END in line and "\r" not in line and "\b" not in line:
                line = line.replace(ERASE_TO_END, "")  # at its end nothing is left to erase
            if CONTROL.search(line) is not None:
                if not self._settles(line):
                    if "\r" in line and self._is_wider(line.split("\r")):
                        continue
                    begun, self._line = self._line, ""
                    self._enter_cells(begun)
                    return at
                line = _settled(line) if end < 0 else _overprint(line)[0]
            if end < 0:
                self._set_line(line)
                return len(text)
            self._keep(line + "\n")
            self._line, at = "", end + 1
        return at

    def _settles(self, line: str) -> bool:
        """It only overprints itself, in one row: that is a matter of strings."""
        returns = only_returns(line)
        if not returns and not OVERPRINTING.fullmatch(line):
            return False
        if "\t" in line and "\r" in line.lstrip("\r"):
            return False  # it stops where it does from the first column on, and writes over nothing
        if len(line) < self.width and line.isascii():
            return True
        if not narrow(line):
            return False
        if not returns:
            return _columns_reached(line) < self.width
        # The last state may be longer than a row: it stands over all others.
        return max(map(len, line.split("\r")[:-1]), default=0) < self.width

    def _is_wider(self, states: list[str]) -> bool:
        """A progress bar that is longer than a row is drawn anew from its beginning: the window is wider than was thought."""
        if max(map(len, states)) <= self.width:
            return False
        longer = [
            (state, following)
            for state, following in pairwise(states)
            if self.width < len(state) <= MOST_COLUMNS and following.strip()
        ]
        longest = max((len(state) for state, following in longer if supersedes(state, following)), default=0)
        if not longest or self.width_is_told:
            return False
        self.resize(usual_width(longest), self.height)
        return True

    def _set_line(self, line: str) -> None:
        if len(line) > LONGEST_UNBROKEN and "\r" not in line:
            keep = self.width * self.height
            self.scrollback.take(0)
            self.scrollback.hand_on(_in_utf8(_expand(line[:-keep])))
            line = line[-keep:]
        self._line = line

    def _keep(self, lines: str) -> None:
        self._keep_lines(_in_utf8(lines))

    def _keep_lines(self, lines: bytes) -> None:
        self.scrollback.keep(_expanded(lines) if b"\t" in lines else lines, self.height)

    # --- cells

    def _mark(self) -> None:
        """The line that stands for what was left out, where one is wanted."""
        line = self._note(False)
        if line and self._screen is None:  # the window was resized meanwhile
            self._keep(f"{self._line}\n{line}\n" if self._line else f"{line}\n")
            self._line = ""
        elif line and self._screen is not None:
            if self._screen.x:
                self._screen.nel()
            self._screen.write(line)
            self._screen.nel()

    def forget_keypad(self) -> None:
        self.keypad = False
        if self._screen is not None:
            self._screen.keypad = False

    def _draw(self, text: str, at: int) -> int:
        while (screen := self._screen) is not None and at < len(text):
            if text[at] == "\r" and screen.row().wrapped:
                state = text[at + 1 : end if (end := text.find("\n", at)) >= 0 else len(text)].partition("\r")[0]
                if self._is_wider([screen.line()[0], state]):
                    return at
            at = last_frame(text, at, self.height)
            end = text.find("\n", at) + 1 or len(text)
            line = text[at:end]
            if not (screen.inserts or screen.top or MODES in line):
                line = last_states(line, screen.x, screen.y, screen.width)
            above = self.lines if MODES in line and not self.keypad else 0
            reached = at + screen.feed(line)
            if screen.keypad and not self.keypad:
                self._page = above
            self.keypad, self.width, self.height = screen.keypad, screen.width, screen.height
            if screen.alternate:
                self.alternate = True
                screen.decsc()
                self._note(True)
                return reached
            at = end
            self._quiet = self._quiet + 1 if line[-1] == "\n" and only_returns(line) else 0
            if self._quiet >= QUIET_LINES and self._leave_cells():
                return at
        return at

    def _enter_cells(self, begun: str, place: int | None = None) -> None:
        """`place`: where in `begun` the cursor is, if it is not at its end."""
        self._quiet = 0
        screen = Screen(self.width, self.height, self._scrolled)
        screen.keypad = self.keypad
        for line in self.scrollback.take(self.height):
            screen.write(line) if line else None
            screen.nel()
        screen.feed(begun)
        if place is not None:
            row, screen.x = divmod(width_of(begun[:place]), self.width)
            screen.y = max(0, screen.y - (width_of(begun) - 1) // self.width + row)
        self._screen = screen

    def _scrolled(self, text: str) -> None:
        self.scrollback.hand_on(_in_utf8(text))

    def _leave_cells(self, *, force: bool = False) -> bool:
        screen = self._screen
        if screen is None or not (force or screen.plain()):
            return screen is None
        rows = screen.rows
        if force:
            while len(rows) > 1 and len(rows) > screen.y + 1 and not rows[-1].text.strip():
                rows.pop()
        text = "".join(map(screen.leaving, range(len(rows))))[:-1]
        lines, feed, last = text.rpartition("\n")
        if feed:
            self.scrollback.keep(_in_utf8(lines + feed), self.height)
        self._line = last.ljust(screen.x) if not force and not screen.row().wrapped else last
        self._screen = None
        return True


def _in_utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # where records are read no half of a surrogate pair is let through


def _unfinished(text: str) -> int:
    """Where the sequence begins that the end of `text` cuts; its length if there is none."""
    escape = text.rfind("\x1b")
    if escape >= 0 and UNFINISHED.match(text, escape):
        opener = text.rfind("\x1b", 0, escape)  # ESC may be the first half of a string's end
        return opener if opener >= 0 and UNFINISHED.match(text, opener) else escape
    start = max(0, len(text) - LONGEST_SEQUENCE)
    if may_hold_c1(text[start:]):
        for introducer in C1_INTRODUCER.finditer(text, start):
            if UNFINISHED.match(text, introducer.start()):
                return introducer.start()
    return len(text)


def _overprint(line: str) -> tuple[str, int]:
    """What is left of a line of narrow characters that goes back and writes over itself, and where the cursor is."""
    if "\x1b" not in line and "\b" not in line:
        states = line.split("\r")
        return overlaid(states), len(states[-1])
    start = 0
    for erased in ERASED_LINE.finditer(line):
        start = erased.end()
    shown, x = "", 0
    for part in OVERPRINT_TOKEN.findall(line, start):
        if part in FIRST_COLUMN:
            x = 0
        elif part[0] == "\b":
            x = max(0, x - len(part))
        elif part[0] != "\x1b":
            shown = shown[:x].ljust(x) + part + shown[x + len(part) :]
            x += len(part)
        elif part == "\x1b[1K":
            shown = " " * (x + 1) + shown[x + 1 :]
        else:
            shown = "" if part == "\x1b[2K" else shown[:x]
    return shown, x


def _columns_reached(line: str) -> int:
    x = most = 0
    for part in OVERPRINT_TOKEN.findall(line):
        if part in FIRST_COLUMN:
            x = 0
        elif part[0] == "\b":
            x = max(0, x - len(part))
        elif part[0] != "\x1b":
            x += len(part)
            most = max(most, x)
    return most


def _settled(line: str) -> str:
    """The shortest line that leaves the same text and the same cursor."""
    shown, x = _overprint(line)
    if x >= len(shown):
        return shown.ljust(x)
    return f"{shown}\r{shown[:x]}"


def _expanded(lines: bytes) -> bytes:
    """Lines in UTF-8 with tabs as the blanks that the terminal shows."""
    fields = lines.split(b"\t")
    if all(not field or field.endswith(b"\n") for field in fields[:-1]):
        return (b" " * TAB).join(fields)  # they indent, as most do
    if lines.isascii():
        return lines.expandtabs(TAB)
    pieces: list[bytes] = []
    at, tab = 0, lines.find(b"\t")
    while tab >= 0:
        start = lines.rfind(b"\n", at, tab) + 1 or at
        end = lines.find(b"\n", tab)
        end = len(lines) if end < 0 else end
        line = lines[start:end]
        pieces += [lines[at:start], line.expandtabs(TAB) if line.isascii() else _in_utf8(_expand(line.decode()))]
        at, tab = end, lines.find(b"\t", end)
    return b"".join((*pieces, lines[at:]))


def _expand(line: str) -> str:
    if line.isascii() or UNEVEN.search(line) is None:
        return line.expandtabs(TAB)
    fields = line.split("\t")
    shown = fields[0]
    column = width_of(shown)
    for field in fields[1:]:
        blanks = TAB - column % TAB
        shown += " " * blanks + field
        column += blanks + width_of(field)
    return shown
