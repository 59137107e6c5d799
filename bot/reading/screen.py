"""The terminal's normal screen as cells: for text that moves the cursor. Names are those of ECMA-48 and of DEC's manuals.

A cell is a string: a character with what combines with it; `""` is the second column of a wide one. Rows that leave
the screen at its top are handed to `scrolled`, and so is the whole screen before it is erased: a person saw it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from unicodedata import category, east_asian_width

from bot.reading.sequences import TOKEN, UNEVEN
from bot.reading.window import MOST_COLUMNS, MOST_ROWS, higher, painted_up_to, usual_width

TAB = 8
MOST = 9999
LONGEST_PARAMETERS = 256
MOST_STEPS = 50  # rows that a program goes down to where it has something to show
CONTINUES = "\\"  # in the last column: python's mark of a line that it breaks
MOST_WRAPPED = 24  # rows on either side that are looked at for what was typed
# DEC's line drawing set, from 0x5f: what `ESC ( 0` makes of lower case letters.
LINE_DRAWING = dict(zip(range(0x5F, 0x7F), " ◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))


# What terminals make of Unicode's categories and widths; the vowels and finals of Korean stand within its first consonant.
COMBINE = ("Mn", "Me", "Cf")
TAKE_TWO = ("W", "F")
JOINED_JAMO = frozenset(map(chr, range(0x1160, 0x1200)))


class Row:
    __slots__ = ("cells", "wrapped")

    def __init__(self, cells: list[str] | None = None, *, wrapped: bool = False) -> None:
        self.cells: list[str] = cells or []
        self.wrapped = wrapped  # continues the row above: the terminal broke the line, not the program

    @property
    def text(self) -> str:
        return "".join(self.cells)

    def pad(self, column: int) -> list[str]:
        if len(self.cells) < column:
            self.cells += [" "] * (column - len(self.cells))
        return self.cells

    def erase(self, start: int, end: int) -> None:
        """Blank the columns from `start` up to `end`; half of a wide character is no character."""
        cells = self.cells
        if start >= len(cells):
            return
        if cells[start] == "" and start:
            cells[start - 1] = " "
        if end >= len(cells):
            del cells[start:]
            return
        if cells[end] == "":
            cells[end] = " "
        cells[start:end] = [" "] * (end - start)


@lru_cache(maxsize=4096)
def columns(character: str) -> int:
    """How many columns a character takes: 0, 1 or 2."""
    if not UNEVEN.match(character):
        return 1
    if category(character) in COMBINE or character in JOINED_JAMO:
        return 0
    return 2 if east_asian_width(character) in TAKE_TWO else 1


def width_of(text: str) -> int:
    return len(text) if text.isascii() or UNEVEN.search(text) is None else sum(map(columns, text))


class Screen:
    def __init__(self, width: int, height: int, scrolled: Callable[[str], None]) -> None:
        self.width = width
        self.height = height
        self.rows: list[Row] = [Row()]
        self.x = 0  # equal to `width` where the next character wraps
        self.y = 0
        self.top = 0
        self.bottom = height - 1
        self.wraps = True
        self.inserts = False
        self.origin = False
        self.drawing = [False, False]
        self.shifted = 0
        self.saved: tuple[int, int] | None = None
        self.last = " "
        self.stops: set[int] | None = None  # None: one every eight columns
        self.alternate = False
        self.keypad = False  # application cursor keys: a full-screen program has the keyboard
        self._scrolled = scrolled

    # --- what the rest of the reader asks

    def row(self) -> Row:
        return self.rows[self.y]  # which is there: whatever moves the cursor down sees to it

    def row_at(self, y: int) -> Row:
        while len(self.rows) <= y:
            self.rows.append(Row())
        return self.rows[y]

    def logical(self, y: int) -> tuple[int, int]:
        """First and last row of the line that row `y` belongs to."""
        first = last = y
        while first > 0 and self.rows[first].wrapped and y - first < MOST_WRAPPED:
            first -= 1
        while last + 1 < len(self.rows) and self.rows[last + 1].wrapped and last - y < MOST_WRAPPED:
            last += 1
        return first, last

    def line(self) -> tuple[str, int]:
        """The text of the cursor's line, its rows joined, and the cursor's place in that text."""
        first, last = self.logical(self.y)
        before = "".join(map(self._whole, range(first, self.y)))
        x = min(self.x, self.width)
        cells = self.rows[self.y].pad(x)
        place = len(before) + len("".join(cells[:x]))
        rest = "".join(self.rows[y].text if y == last else self._whole(y) for y in range(self.y, last + 1))
        return before + rest, place

    def below(self) -> bool:
        """Something stands below the cursor's row."""
        return any(row.text.strip() for row in self.rows[self.y + 1 :])

    def _whole(self, y: int) -> str:
        """A row that goes on in the next one, without the last column where that was left empty for want of a second."""
        row = self.rows[y]
        following = self.rows[y + 1].cells if y + 1 < len(self.rows) else []
        no_room = len(row.cells) == self.width - 1 and following[1:2] == [""]
        return "".join(row.cells if no_room else row.pad(self.width))

    def leaving(self, y: int) -> str:
        """A row as it leaves the screen: with a line's end, unless the next row goes on in its line."""
        goes_on = y + 1 < len(self.rows) and self.rows[y + 1].wrapped
        return self._whole(y) if goes_on else self.rows[y].text + "\n"

    def above(self, count: int) -> list[str]:
        """The last `count` lines above the cursor's, their rows joined."""
        lines: list[str] = []
        first, _ = self.logical(self.y)
        while first > 0 and len(lines) < count:
            last = first - 1
            first, _ = self.logical(last)
            lines.append("".join(map(self._whole, range(first, last))) + self.rows[last].text)
        return lines[::-1]

    def join(self, begins: Callable[[str], bool], above: int) -> None:
        """Make one line of full rows if they begin as `begins` says, from `above` lines above the cursor's on: a line
        editor that breaks its line itself moves the cursor, so the terminal does not know."""
        first = last = self.y
        while first > 0 and (above > 0 or self.rows[first].wrapped):
            above -= not self.rows[first].wrapped
            first -= 1
        while last + 1 < len(self.rows) and (self.rows[last + 1].wrapped or self._full(last)):
            last += 1
        if not any(map(self._full, range(first, last))):
            return
        typed = False
        for y in range(first, last + 1):
            row = self.rows[y]
            if not row.wrapped:
                begun = begins(row.text)
                row.wrapped = typed and not begun and y > first and self._full(y - 1)
                typed = begun or row.wrapped

    def _full(self, y: int) -> bool:
        cells = self.rows[y].cells
        return len(cells) >= self.width and cells[-1] != CONTINUES and cells[-2:] != [" ", " "]

    def plain(self) -> bool:
        """Nothing is special: cursor at the end of the last line, no margins, no modes."""
        if self.top or self.bottom != self.height - 1 or self.inserts or not self.wraps or self.stops is not None:
            return False
        if any(self.drawing) or self.origin:
            return False
        return self.y == len(self.rows) - 1 and self.x >= len(self.row().cells)

    # --- feeding

    def feed(self, text: str) -> int:
        """Apply `text` until its end, or until the alternate screen begins: how far it came."""
        for token in TOKEN.finditer(text):
            group = token.lastgroup
            if group == "text":
                self.write(token.group())
            elif group == "control":
                control = CONTROLS.get(token.group())
                if control is not None:
                    control(self)
            elif group == "final":
                function, numbers = _function_of(*token.group("mark", "parameters", "between", "final"))
                if function is not None:
                    function(self, numbers)
                if self.alternate:
                    return token.end()
            elif group == "escape":
                escape = ESCAPES.get(token["escape"])
                if escape is not None:
                    escape(self)
        return len(text)

    def write(self, text: str) -> None:
        if self.drawing[self.shifted]:
            text = text.translate(LINE_DRAWING)
        self.last = text[-1]
        if not text.isascii() and UNEVEN.search(text) is not None:
            for character in text:
                self._put(character)
            return
        while text:
            self._wrap_if_due()
            room = self.width - self.x
            if not self.wraps and len(text) > room:
                text = text[: room - 1] + text[-1]
            self._place(list(text[:room]))
            text = text[room:]

    def _put(self, character: str) -> None:
        taken = columns(character)
        if taken == 0:
            self._combine(character)
            return
        self._wrap_if_due()
        if taken == 2 and self.x == self.width - 1:
            if not self.wraps:
                return
            del self.row().pad(self.x)[self.x :]
            self._wrap()
        self._place([character, ""][:taken])

    def _combine(self, character: str) -> None:
        cells = self.row().cells
        x = min(self.x, len(cells)) - 1
        if x > 0 and cells[x] == "":
            x -= 1
        if x >= 0 and len(cells[x]) < 16:
            cells[x] += character

    def _wrap_if_due(self) -> None:
        if self.x < self.width:
            return
        if not self.wraps:
            self.x = self.width - 1
            return
        self.row().pad(self.width)
        self._wrap()

    def _wrap(self) -> None:
        self.x = 0
        self.ind()
        self.row().wrapped = True

    def _place(self, new: list[str]) -> None:
        cells = self.row().pad(self.x)
        end = self.x + len(new)
        if self.inserts:
            cells[self.x : self.x] = new
            del cells[self.width :]
        else:
            if self.x < len(cells) and cells[self.x] == "" and self.x:
                cells[self.x - 1] = " "
            if end < len(cells) and cells[end] == "":
                cells[end] = " "
            cells[self.x : end] = new
        self.x = end

    # --- lines

    def ind(self) -> None:
        if self.y == self.bottom:
            self.su([1])
        elif self.y < self.height - 1:
            self.y += 1
            self.row_at(self.y)

    def lf(self) -> None:
        self.ind()
        self.row().wrapped = False

    def nel(self) -> None:
        """Next line; also what `\n` does here, for the terminal turns `\r\n` into it before anything else."""
        self.x = 0
        self.lf()

    def ri(self) -> None:
        if self.y == self.top:
            self.sd([1])
        elif self.y > 0:
            self.y -= 1

    def su(self, p: list[int]) -> None:
        """Scroll up: what leaves at the top of the screen was seen, what leaves within margins is gone."""
        for _ in range(min(p[0] or 1, self.height)):
            self.row_at(self.bottom)
            if self.top == 0:
                self._scrolled(self.leaving(0))
                self._moved_up(1)
            del self.rows[self.top]
            self.rows.insert(self.bottom, Row())

    def sd(self, p: list[int]) -> None:
        for _ in range(min(p[0] or 1, self.height)):
            self.row_at(self.bottom)
            del self.rows[self.bottom]
            self.rows.insert(self.top, Row())

    def il(self, p: list[int]) -> None:
        if self.top <= self.y <= self.bottom:
            for _ in range(min(p[0] or 1, self.bottom - self.y + 1)):
                self.row_at(self.bottom)
                del self.rows[self.bottom]
                self.rows.insert(self.y, Row())
            self.x = 0

    def dl(self, p: list[int]) -> None:
        if self.top <= self.y <= self.bottom:
            for _ in range(min(p[0] or 1, self.bottom - self.y + 1)):
                self.row_at(self.bottom)
                del self.rows[self.y]
                self.rows.insert(self.bottom, Row())
            self.x = 0

    # --- the cursor

    def bs(self) -> None:
        self.x = max(0, min(self.x, self.width - 1) - 1)

    def cr(self) -> None:
        self.x = 0

    def ht(self, p: list[int] | None = None) -> None:
        for _ in range(min((p or [1])[0] or 1, self.width)):
            if self.x >= self.width - 1:
                return
            self.x = min(self.width - 1, self._next_stop())

    def _next_stop(self) -> int:
        if self.stops is None:
            return (self.x // TAB + 1) * TAB
        return min((stop for stop in self.stops if stop > self.x), default=self.width - 1)

    def cbt(self, p: list[int]) -> None:
        for _ in range(min(p[0] or 1, self.width)):
            x = min(self.x, self.width - 1)
            stops = range(0, self.width, TAB) if self.stops is None else sorted(self.stops)
            self.x = max((stop for stop in stops if stop < x), default=0)

    def hts(self) -> None:
        self._own_stops().add(self.x)

    def tbc(self, p: list[int]) -> None:
        if p[0] == 3:
            self.stops = set()
        else:
            self._own_stops().discard(self.x)

    def _own_stops(self) -> set[int]:
        if self.stops is None:
            self.stops = set(range(0, self.width, TAB))
        return self.stops

    def cuu(self, p: list[int]) -> None:
        self._restrict()
        edge = self.top if self.y >= self.top else 0
        self.y = max(edge, self.y - (p[0] or 1))

    def cud(self, p: list[int]) -> None:
        """Nobody steps below the last row, unless to find out where that is: then the window is higher than was thought."""
        self._restrict()
        row = self.y + (p[0] or 1)
        if self.height <= row < self.y + MOST_STEPS:
            self._heighten(higher(row))
        edge = self.bottom if self.y <= self.bottom else self.height - 1
        self.y = min(edge, row)
        self.row_at(self.y)

    def _heighten(self, height: int) -> None:
        if self.bottom == self.height - 1:
            self.height = height
            self.bottom = height - 1

    def cuf(self, p: list[int]) -> None:
        self._restrict()
        self.x = min(self.width - 1, self.x + (p[0] or 1))

    def cub(self, p: list[int]) -> None:
        self._widen(p[0])
        self._restrict()
        self.x = max(0, self.x - (p[0] or 1))

    def cnl(self, p: list[int]) -> None:
        self.cud(p)
        self.x = 0

    def cpl(self, p: list[int]) -> None:
        self.cuu(p)
        self.x = 0

    def _widen(self, columns: int) -> None:
        """Nobody goes over so many columns, unless to find out how many there are: then the window is wider than was thought,
        and what was wrapped was not."""
        if not self.width < columns <= MOST_COLUMNS:
            return
        rows: list[Row] = []
        cursor = 0
        for y, row in enumerate(self.rows):
            begun = len(rows[-1].cells) if row.wrapped and rows else 0
            if begun:
                rows[-1].pad(begun + -begun % self.width).extend(row.cells)
            else:
                rows.append(row)
            if y == self.y:
                cursor = len(rows) - 1
                self.x += begun + -begun % self.width
        self.y = cursor
        self.rows, self.width = rows, usual_width(columns)

    def cha(self, p: list[int]) -> None:
        self._widen(p[0])
        self.x = min(self.width, p[0] or 1) - 1

    def vpa(self, p: list[int]) -> None:
        self._restrict()
        self._go(p[0] or 1)

    def cup(self, p: list[int]) -> None:
        self.cha(p[1:] or [1])
        self._go(p[0] or 1)

    def _go(self, row: int) -> None:
        if self.height < row <= MOST_ROWS and not self.origin:
            self._heighten(painted_up_to(row))
        top, bottom = (self.top, self.bottom) if self.origin else (0, self.height - 1)
        self.y = min(bottom, top + row - 1)
        self.row_at(self.y)

    def _restrict(self) -> None:
        self.x = min(self.x, self.width - 1)

    def decsc(self) -> None:
        self.saved = (self.x, self.y)

    def _moved_up(self, rows: int) -> None:
        """The place that was saved is in the text, which moved (so xterm.js has it; in xterm it is on the screen)."""
        if self.saved is not None:
            x, y = self.saved
            self.saved = (x, max(0, y - rows))

    def decrc(self) -> None:
        x, y = self.saved or (0, 0)
        self.x, self.y = min(x, self.width), min(y, self.height - 1)
        self.row_at(self.y)

    # --- erasing and shifting

    def el(self, p: list[int]) -> None:
        row = self.row()
        if p[0] == 0:
            row.erase(self.x, self.width)
            row.wrapped = row.wrapped and self.x > 0
        elif p[0] == 1:
            row.pad(min(self.x + 1, self.width))
            row.erase(0, self.x + 1)
        elif p[0] == 2:
            row.cells.clear()
            row.wrapped = False

    def ed(self, p: list[int]) -> None:
        if p[0] == 2 or (p[0] == 0 and self.x == 0 and self.y == 0):
            self._keep_and_erase()
        elif p[0] == 0:
            self.el([0])
            del self.rows[self.y + 1 :]
        elif p[0] == 1:
            for y in range(self.y):
                self.rows[y] = Row()
            self.el([1])
            if self.y + 1 < len(self.rows):
                self.rows[self.y + 1].wrapped = False

    def _keep_and_erase(self) -> None:
        """To erase the screen is no reason to forget what was on it."""
        rows = self.rows
        # Blanks that were written above the cursor, or where it is, are something.
        while rows and not (rows[-1].text.strip() if len(rows) - 1 > self.y else rows[-1].cells):
            rows.pop()
        for y in range(len(rows)):
            self._scrolled(self.leaving(y))
        self._moved_up(len(rows))
        self.rows = [Row()]
        self.row_at(self.y)

    def ech(self, p: list[int]) -> None:
        self._restrict()
        row = self.row()
        row.erase(self.x, min(self.width, self.x + (p[0] or 1)))

    def dch(self, p: list[int]) -> None:
        self._restrict()
        cells = self.row().cells
        count = p[0] or 1
        if self.x < len(cells):
            if cells[self.x] == "" and self.x:
                cells[self.x - 1] = " "
            if self.x + count < len(cells) and cells[self.x + count] == "":
                cells[self.x + count] = " "
            del cells[self.x : self.x + count]

    def ich(self, p: list[int]) -> None:
        self._restrict()
        cells = self.row().pad(self.x)
        if self.x < len(cells):
            cells[self.x : self.x] = [" "] * min(p[0] or 1, self.width)
            del cells[self.width :]

    def rep(self, p: list[int]) -> None:
        self.write(self.last * min(p[0] or 1, self.width * self.height))

    # --- modes

    def decstbm(self, p: list[int]) -> None:
        last = (p[1:] or [0])[0] or self.height
        if self.height < last <= MOST_ROWS and self.bottom == self.height - 1:
            self.height = last + (p[0] == 0)  # apt keeps one row below for its bar
        top, bottom = (p[0] or 1) - 1, min(last, self.height) - 1
        if top < bottom:
            self.top, self.bottom = top, bottom
            self.x = 0
            self._go(1)

    def sm(self, p: list[int]) -> None:
        self._mode(p, on=True)

    def rm(self, p: list[int]) -> None:
        self._mode(p, on=False)

    def _mode(self, p: list[int], *, on: bool) -> None:
        for mode in p:
            if mode == 4:
                self.inserts = on

    def decset(self, p: list[int]) -> None:
        self._private(p, on=True)

    def decrst(self, p: list[int]) -> None:
        self._private(p, on=False)

    def _private(self, p: list[int], *, on: bool) -> None:
        for mode in p:
            if mode in ALTERNATE_SCREEN:
                self.alternate = on
                if mode == 1049 and not on and self.saved is not None:
                    self.decrc()  # though it was left before, as `dialog` does to draw on the normal one
            elif mode == 1:
                self.keypad = on
            elif mode == 7:
                self.wraps = on
            elif mode == 6:
                self.origin = on
                self.x = 0
                self._go(1)
            elif mode == 1048:
                (self.decsc if on else self.decrc)()

    def decstr(self, _p: list[int]) -> None:
        """Soft reset."""
        self.top, self.bottom = 0, self.height - 1
        self.wraps, self.inserts, self.origin = True, False, False
        self.drawing, self.shifted, self.keypad = [False, False], 0, False

    def ris(self) -> None:
        self._keep_and_erase()
        self.decstr([])
        self.x = self.y = 0
        self.stops = None
        self.alternate = False

    def so(self) -> None:
        self.shifted = 1

    def si(self) -> None:
        self.shifted = 0


ALTERNATE_SCREEN = (47, 1047, 1049)


def _designate(which: int, *, drawing: bool) -> Callable[[Screen], None]:
    def designate(screen: Screen) -> None:
        screen.drawing[which] = drawing

    return designate


CONTROLS: dict[str, Callable[[Screen], None]] = {
    "\b": Screen.bs, "\t": Screen.ht, "\n": Screen.nel, "\v": Screen.lf, "\f": Screen.lf, "\r": Screen.cr,
    "\x0e": Screen.so, "\x0f": Screen.si, "\x84": Screen.ind, "\x85": Screen.nel, "\x88": Screen.hts, "\x8d": Screen.ri,
}  # fmt: skip

ESCAPES: dict[str, Callable[[Screen], None]] = {
    "7": Screen.decsc, "8": Screen.decrc, "D": Screen.ind, "E": Screen.nel, "H": Screen.hts, "M": Screen.ri, "c": Screen.ris,
    "(0": _designate(0, drawing=True), ")0": _designate(1, drawing=True),
    "(B": _designate(0, drawing=False), ")B": _designate(1, drawing=False),
    "(A": _designate(0, drawing=False), ")A": _designate(1, drawing=False),
}  # fmt: skip

FUNCTIONS: dict[str, Callable[[Screen, list[int]], None]] = {
    "@": Screen.ich, "A": Screen.cuu, "B": Screen.cud, "C": Screen.cuf, "D": Screen.cub, "E": Screen.cnl, "F": Screen.cpl,
    "G": Screen.cha, "`": Screen.cha, "H": Screen.cup, "f": Screen.cup, "I": Screen.ht, "J": Screen.ed, "?J": Screen.ed,
    "K": Screen.el, "?K": Screen.el, "L": Screen.il, "M": Screen.dl, "P": Screen.dch, "S": Screen.su, "T": Screen.sd,
    "X": Screen.ech, "Z": Screen.cbt, "a": Screen.cuf, "b": Screen.rep, "d": Screen.vpa, "e": Screen.cud, "g": Screen.tbc,
    "h": Screen.sm, "l": Screen.rm, "?h": Screen.decset, "?l": Screen.decrst, "r": Screen.decstbm,
    "s": lambda screen, _p: screen.decsc(), "u": lambda screen, _p: screen.decrc(), "!p": Screen.decstr,
}  # fmt: skip


@lru_cache(maxsize=1024)
def _function_of(
    mark: str, parameters: str, between: str, final: str
) -> tuple[Callable[[Screen, list[int]], None] | None, list[int]]:
    """What a CSI sequence asks for, and with which numbers, which it must leave as they are."""
    function = FUNCTIONS.get(mark + between + final)
    if function is None or len(parameters) > LONGEST_PARAMETERS:
        return None, []
    return function, [min(int(number), MOST) if number else 0 for number in parameters.replace(":", ";").split(";")]
