"""What a program draws over at once need not be drawn: progress bars and whole screens write each state over the last."""

from __future__ import annotations

import re
from functools import lru_cache

from bot.reading.sequences import UNEVEN, UNEVEN_SET, beyond_ascii, only_returns

HOME = "\x1b[H"
# `top` ends a frame with ED, whose end comes without a line's.
BEGINS_FRAME = (HOME, "\x1b[J" + HOME)
# Frames of `top`: from the top left corner, each line with the rest of its row erased, then all below.
_ROW = r"[^\x1b\n]*+(?:\x1b(?:\[[0-9;]*m|\(B)[^\x1b\n]*+)*+\x1b\[K"
_FRAME = rf"H(?:{_ROW}\n)++(?:{_ROW})?\x1b\[J"
FRAMES = re.compile(rf"\x1b\[(?:J\x1b\[)?{_FRAME}(?:\x1b\[{_FRAME})++")
FRAMES_IN_UTF8 = re.compile(FRAMES.pattern.encode())
# A row is erased and written anew from its first column on; programs say so in many ways.
ERASURE = "\r\x1b[K"
OTHER_ERASURES = re.compile(r"\x1b\[(?:2K(?:\r|\x1b\[1?G)|1?G\x1b\[0?K)")
# `docker pull` goes up to a row, draws it, and comes back.
ROW_DRAWN = re.compile(r"\x1b\[([0-9]{1,2})A\r\x1b\[K([^\x00-\x1f\x7f-\x9f]*+)\x1b\[\1B\r")
DRAWS_ROW = f"A{ERASURE}"
ROWS_DRAWN = re.compile(rf"(?:{ROW_DRAWN.pattern})" + r"{2,}+")


def last_frame(text: str, at: int, height: int) -> int:
    """Where the last of the frames at `at` begins: a program that repaints the whole screen leaves nothing of those
    before it."""
    if not text.startswith(BEGINS_FRAME, at):
        return at
    frames = FRAMES.match(text, at)
    if frames is None:
        return at
    last = text.rfind(HOME, at, frames.end())
    return last if text.count("\n", last, frames.end()) < height else at


def last_frames(lines: bytes, height: int) -> bytes:
    """`lines`, in UTF-8 and with their colours, in which of such frames there is only the last one."""

    def last(frames: re.Match[bytes]) -> bytes:
        frame = frames.group()[frames.group().rfind(HOME.encode()) :]
        return frame if frame.count(b"\n") < height else frames.group()

    repaints = b"\x1b" in lines and lines.count(HOME.encode()) > 1
    return FRAMES_IN_UTF8.sub(last, lines) if repaints else lines


def without_erased(text: str, width: int) -> str:
    """`text` without what is written in one row and erased again: spinners, downloads."""
    text = OTHER_ERASURES.sub(ERASURE, text.replace("\r\x1b[0K", ERASURE))
    return _erased(width).sub(ERASURE, text) if text.count(ERASURE) > 1 else text


@lru_cache(maxsize=8)
def _erased(width: int) -> re.Pattern[str]:
    # No character takes more than two columns: which of them do need not be asked where there is room for all.
    short, narrow = (
        rf"[^\x00-\x1f\x7f-\x9f]{{0,{(width - 1) // 2}}}+",
        rf"[^\x00-\x1f\x7f-\x9f{UNEVEN_SET}]{{0,{width - 1}}}+",
    )
    return re.compile(rf"\r\x1b\[K(?:{short}\r\x1b\[K|{narrow}\r\x1b\[K)++")


def last_states(line: str, x: int, y: int, width: int) -> str:
    """A line that leaves the same cells and the same cursor, without the states that others replace."""
    if "\x1b" in line:
        return ROWS_DRAWN.sub(lambda rows: _last_rows(rows.group(), y, width), line) if DRAWS_ROW in line else line
    body = line.removesuffix("\n")
    if line.count("\r") < 2 or "\t" in body or not only_returns(body) or not narrow(body):
        return line
    first, *others = body.split("\r")
    if x + len(first) >= width or max(map(len, others)) >= width:
        return line
    shown = overlaid(others)
    back = "" if len(others[-1]) == len(shown) else "\r" + others[-1]
    return f"{first}\r{shown}{back}{line[len(body) :]}"


def overlaid(states: list[str]) -> str:
    """What stands there after `states`, each written from the first column on."""
    shown = ""
    longest = max(map(len, states))
    for state in reversed(states):
        shown += state[len(shown) :]
        if len(shown) == longest:
            break
    return shown


def _last_rows(rows: str, y: int, width: int) -> str:
    drawn = ROW_DRAWN.findall(rows)
    last = dict(drawn)
    if max(map(int, last)) > y or not narrow(rows) or max([len(row) for _, row in drawn]) >= width:
        return rows
    return "".join([f"\x1b[{up}A{ERASURE}{row}\x1b[{up}B\r" for up, row in last.items()])


def narrow(text: str) -> bool:
    """No character of it is wide, and none combines."""
    return text.isascii() or UNEVEN.search(beyond_ascii(text)) is None
