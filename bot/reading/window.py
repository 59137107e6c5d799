"""How wide and high the window is: it is recorded nowhere, but programs that know it give it away."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache

from bot.reading.sequences import CUU, SILENT

# zsh and fish find out whether the cursor is in the first column: a mark, as many blanks as the row has left, a return.
# zsh's is in colours: progress bars have a `%` too.
PROMPT_MARK = re.compile(
    r"(?:[%#](?=\x1b)|[⏎¶])(?:\x1b\[[0-9;]*m|\x1b\(B|\x0f)*+( {9,499}+)(?:\x1b\[[0-9;]*m|\x1b\(B|\x0f)*+\r"
)
FEWEST_BLANKS = " " * 9
# A prompt at the right edge: as far forward from the first column.
RIGHT_EDGE = re.compile(
    r"(?:^|\r)(?:\x1b7|\x1b\[s)?\x1b\[([0-9]{2,3})C(?:\x1b\[[0-9;]*m|\x1b\(B)*+([^\x00-\x1f\x7f]{1,80})"
)
# node shows in grey, in the next row, what a line would give, cut one column before the edge.
PREVIEW = re.compile(r"(?:^|\n)\x1b\[90m([ -~]{10,250}\.\.\.)\x1b\[39m\x1b\[[0-9]{1,3}G")
CUT = "...\x1b[39m"
HINTED, HINT = "\x1b[0;90;49m", re.compile(r"\x1b\[0K([^\x00-\x1f]*\x1b\[0;90;49m[^\x00-\x1f]*)\x1b\[0m")
# Where a line editor goes on in the next row, after it has filled one to its last column.
WRAP = re.compile(
    r"(?<=[^\x00-\x1f])(?:"
    r"(?P<blank>(?<!  ) \r(?!\n|\r|\x1b\[[0-9]*[C@KP]| \r))"  # readline: a blank, which wraps, and back
    r"| \r\x1b\[K(?!\r)"  # zsh likewise, and it erases the next row
    r"| \x1b\[1G(?!\x1b)"  # node likewise
    r"|(?<!\x1b\[K)\x1b\[1G\x1b\[1?B\x1b\[1G"  # reline: it erases the rest of any other row
    r"|(?<=\\)\x1b\[[0-9]+D\x1b\[1?B"  # python: a mark in the last column
    r"|\n\r"  # linenoise
    r"|\r\x1b\[(?P<column>[0-9]+)C(?=[^\x00-\x1f])"  # prompt_toolkit is not sure to be where it is, before the last column
    r")"
)
# One of these is in each of them, and is found many times as fast.
WRAP_SIGNS = ("\r", "\x1b[1G", "\\\x1b[")
# The last row that a full-screen program goes to, or its scroll region.
ROW = re.compile(r"\x1b\[([0-9]{1,3});[0-9]{1,3}[Hf]|\x1b\[1?;([0-9]{1,3})r")
NOT_COLOURS = re.compile(
    r"\x1b[=>78c]|\x1b\[(?:[0-?]*+[@-ln-~]|[<-?][0-?]*+m|2?7m)|\x1b\][^\x07\x1b]*+(?:\x07|\x1b\\)|[\x00\x05-\x07\x0e\x0f]"
)
# readline marks what was pasted, and draws it again without the mark: it goes up, and right, to where that began.
PASTED = re.compile(r"\x1b\[2?7m|\x00")
DRAWN_AGAIN = re.compile(r"((?:\x1b\[A)++)((?:\x1b\[C)*+)([^\x00-\x1f\x7f]{20,})")
USUAL = (80, 100, 120, 132, 160, 200)
NARROW = (72, 64, 60, 50, 48, 40, 36, 32, 30, 24, 20)
USUAL_HEIGHTS = (24, 30, 40, 50, 60, 80, 100)
# CPR: the row of the cursor, as the terminal tells it where a program asks.
CURSOR_AT = re.compile(r"\x1b\[([0-9]{1,3});[0-9]{1,3}R")
NARROWEST = 10
MOVES_CURSOR = re.compile(r"\x1b\[[0-9;]*[@-GPXd]")
ROW_BEGINS = re.compile(r"[\n\r]|\x1b\[[0-9;]*H")
ERASES_REST = "\x1b[K\n"
# reline draws a menu below the line, each entry from the same column on, and returns there.
ENTRY_BELOW, ENTRY = "B\x1b[", re.compile(r"\x1b\[([0-9]{1,3})G([^\x00-\x1f\x7f-\x9f]++)\x1b\[\1G")
COMES_DOWN, GOES_DOWN = "B", "\n\r"  # behind a row that is drawn above others, and before one below them
FEWEST_ROWS, MOST_ROWS, MOST_COLUMNS = 8, 200, 300


def wraps(text: str) -> Iterator[re.Match[str]]:
    return WRAP.finditer(text) if any(sign in text for sign in WRAP_SIGNS) else iter(())


def reached_width(text: str) -> int:
    """The rightmost column that a prompt at the right edge is written up to, 0 without one."""
    if "C" not in text:
        return 0
    return max((int(found[1]) + len(found[2]) for found in RIGHT_EDGE.finditer(text)), default=0)


def hint_width(text: str) -> int:
    """The length of the longest row that has a hint of redis-cli's, which is cut at the edge; 0 without one."""
    found = HINT.findall(text) if HINTED in text else ()
    return max((len(SILENT.sub("", row)) for row in found), default=0)


def preview_width(text: str) -> int | None:
    found = PREVIEW.search(text) if CUT in text else None
    return len(found[1]) + 1 if found else None


def marked_width(text: str) -> int | None:
    """The width that a shell's mark before its prompt gives away."""
    marks = deque(PROMPT_MARK.finditer(text), maxlen=1)
    return len(marks[0].group(1)) + 1 if marks else None


def wrapped_width(shown: int, written: str, current: int) -> int | None:
    """The width where a line editor wrapped, after `shown` columns of its line, of which the log has `written`.

    A prompt whose colours are not marked as taking no room makes readline wrap too early: then what it counted is the
    length of all that was written, which is told by a width that windows have. A wide character that has no room in the last column leaves it empty.
    """
    if shown > current and shown in USUAL and columns_shown(written) == shown:
        return shown  # it would have wrapped before, and returned
    if shown and (shown % current == 0 or shown == current - 1):
        return None
    visible = SILENT.sub("", written)
    counted = columns_counted(written) if MOVES_CURSOR.search(written) is None else 0
    if counted != shown and counted >= NARROWEST and counted % current == 0:
        return current  # after several rows, if the prompt alone fills one
    usual = counted in USUAL or (counted % 10 == 0 and shown % 10 > 0)
    if counted != shown and counted >= NARROWEST and usual:
        return counted
    if visible.isascii() and visible.isprintable() and visible and shown % len(visible):
        return None  # after the last return too little was written to reach an edge
    return shown if shown >= NARROWEST else None


def higher(row: int) -> int:
    """The usual height of a window in which `row` is not the last one."""
    return next((height for height in USUAL_HEIGHTS if height > row), MOST_ROWS)


def usual_width(columns: int) -> int:
    """Of a window in which a row of so many columns has room."""
    return next((width for width in USUAL if width >= columns), columns)


def painted_up_to(row: int) -> int:
    """The height of a window in which a program goes to `row`; `top` leaves by going below the last one."""
    return row - 1 if row - 1 in USUAL_HEIGHTS else row


def redrawn_width(written: str) -> int | None:
    """The width that the way back to where a paste began tells: as many rows up as it has been wrapped."""
    shown = PASTED.sub("", written)
    up = shown.find(CUU)
    found = DRAWN_AGAIN.match(shown, up) if up >= 0 else None
    if found is None or not found[3].isascii() or not shown[:up].endswith(found[3]):
        return None
    width, rest = divmod(len(found[3]) + found[2].count("C"), found[1].count("A"))
    return width if rest == 0 and width >= NARROWEST else None


def last_row_written(written: str) -> tuple[str, str]:
    """What came before the cursor went to the first column, and what was written since."""
    begins = deque(ROW_BEGINS.finditer(written), maxlen=1)
    return (written[: begins[0].start()], written[begins[0].end() :]) if begins else ("", written)


def written_behind(asked: str, written: str) -> str:
    """What of it came behind a question that stands before the prompt."""
    _, found, behind = written.partition(asked) if asked else ("", "", "")
    return behind if found else written


def typed_width(before: str, row: str) -> int | None:
    """The width of a row that was typed from its first to its last column, after a wrap that `before` ends in."""
    whole = before.endswith(" ") and row.isascii() and row.isprintable()
    return len(row) if whole and len(row) >= NARROWEST else None


def columns_counted(written: str) -> int:
    """The columns of `written`, which moves nowhere but a few back, if its colours are counted."""
    counted = NOT_COLOURS.sub("", written)
    return len(counted) - 2 * counted.count("\b")


def columns_shown(written: str) -> int:
    return columns_counted(SILENT.sub("", written)) if written.isascii() else 0


def painted_height(text: str) -> int | None:
    """The height of a screen that is painted from its top to its last row."""
    if "\x1b[H" not in text and "\x1b[1;1H" not in text:
        return None
    rows = ROW.findall(text)
    lowest = _lowest(rows)
    if text.endswith(f"\x1b[{lowest};1H"):
        lowest = painted_up_to(lowest)
    painted = len(rows) > lowest // 2 or "\x1b[H\x1bM" in text
    return lowest if painted and FEWEST_ROWS <= lowest <= MOST_ROWS else None


def painted_width(text: str, width: int) -> int:
    """The length of the longest row of a screen that is painted from its top row by row, each up to where its rest is erased:
    `top` fills some. 0 if all fit into `width` columns."""
    _, home, painted = text.partition("\x1b[H")
    if not home or ERASES_REST not in painted:
        return 0
    longer = [row for row in painted.split("\n") if len(row) > width]
    rows = (row.removesuffix("\x1b[K") for row in longer if row.endswith("\x1b[K"))
    return max((len(row) for row in rows if row.isprintable()), default=0)


def drawn_width(text: str, width: int) -> int:
    """The length of a row that is drawn above or below others and would not fit into `width` columns, so that the way there
    and back would end elsewhere: layers that are pulled, bars below each other, menus. 0 if there is none."""
    if width >= MOST_COLUMNS:
        return 0
    above, below = _longer(width)
    found = above.search(text) if COMES_DOWN in text else None
    found = found or (below.search(text) if GOES_DOWN in text else None)
    if found is None and ENTRY_BELOW in text:
        reached = (int(entry[1]) - 1 + len(entry[2]) for entry in ENTRY.finditer(text))
        return max((columns for columns in reached if width < columns <= MOST_COLUMNS), default=0)
    return len(found[1]) if found else 0


@lru_cache(maxsize=8)
def _longer(width: int) -> tuple[re.Pattern[str], re.Pattern[str]]:
    row = rf"([^\x00-\x1f\x7f-\x9f]{{{width + 1},{MOST_COLUMNS}}})"
    above = rf"A(?:\x1b\[2K\r|\r\x1b\[0?K){row}\x1b\[[0-9]{{0,2}}B"
    return re.compile(above), re.compile(rf"\n\r{row}\x1b\[A")


def last_row(text: str) -> int:
    return _lowest(ROW.findall(text))


def _lowest(rows: list[tuple[str, str]]) -> int:
    return max((int(row or bottom) for row, bottom in set(rows)), default=0)
