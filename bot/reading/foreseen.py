"""The window's height, as the pieces of a line recorder that are shown next tell it: what is drawn over what stands there
must find it where it was."""

from __future__ import annotations

from bot.reading import pieces
from bot.reading.sequences import SILENT
from bot.reading.window import MOST_ROWS, painted_height

FIRST_ROW = b"\x1b[1;1H"
KEYPAD = "\x1b[?1h\x1b="
UNWRAPS = pieces.UNWRAPS.encode()
BEGINS_ALTERNATE = b"\x1b[?1049h"


def height_of(contents: list[str], joined: bytes, *, above: int, width: int, height: int) -> int:
    """That of the window in which `contents`, whole pieces, are shown; `height` where they do not tell. `joined`: all of
    them, in UTF-8; `above`: how many lines stand above them; `width` and `height`: as they are thought to be."""
    modes = pieces.MODES in joined
    if modes and BEGINS_ALTERNATE in joined:
        return height  # whose size shows when it is left
    if FIRST_ROW in joined:
        height = painted_height(joined.decode()) or height
    if modes:
        height = max(height, min(_gone_down(contents, above, height), MOST_ROWS)) if UNWRAPS in joined else height
        height = max(height, _page(contents, width, height)) if KEYPAD.encode() in joined else height
    return height


def _gone_down(contents: list[str], above: int, height: int) -> int:
    """prompt_toolkit goes down to the window's last row, by two pieces for each, and comes back only after a key."""
    highest, top, down = 0, 0, -1
    for number, piece in enumerate(contents):
        if piece.rfind(pieces.UNWRAPS) > piece.rfind(pieces.WRAPS):
            comes_back = top > 0 and pieces.GOES_UP.search(piece) is not None
            top, down = top if comes_back else above + 1 + number, 0
        elif down >= 0:
            down = -1 if pieces.GOES_UP.search(piece) else down + 1
        rows = (down + 1) // 2
        highest = max(highest, top + rows) if rows >= height else highest
    return highest


def _page(contents: list[str], width: int, height: int) -> int:
    """A pager that draws on the normal screen fills the window before it asks for a key, in the last row."""
    rows = -1
    for piece in contents:
        if piece.endswith(f"{KEYPAD}\n"):
            rows = 0
        elif rows >= 0 and pieces.LESS_ASKS_FIRST.fullmatch(piece):
            return rows + 1 if height <= rows < MOST_ROWS else 0
        elif rows >= 0:
            shown = SILENT.sub("", piece[:-1])
            rows += max(1, -(-(len(shown) - 2 * shown.count("\b")) // width))
    return 0
