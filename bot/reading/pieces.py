"""Pieces of output as a line recorder cut them: what the control sequences in them tell of how they ended. At first two
neighbours, then many in a row, in UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from bot.reading.sequences import CUU, SILENT

# The next piece begins by erasing its line, or by moving to where it goes on.
REDRAWS = re.compile(r"\x1b\[[0-2]?K(?!\x1b\[1?G)|\x1b\[[0-9]*[@P]|\((?:reverse-|failed |fwd-)*i-search\)|\(arg: ")
# What stands there while readline searches or counts.
ASIDE = re.compile(r"\((?:reverse-|failed |fwd-)*i-search\)|\(arg: -?[0-9]+\)")
GOES_ON_ELSEWHERE = re.compile(
    r"(?:\x1b\[[0-9;]*m|\x1b\(B)*+\x1b\[(?:[0-9]*[BC]|(?:[2-9]|[1-9][0-9]+)G)"
    r"|[^\x00-\x1f\x7f]{1,8}(?:\x1b\[C){2}"  # readline writes the sign of a vi mode anew, then steps to the cursor
)
GOES_TO_COLUMN = re.compile(r"\x1b\[([0-9]{1,4})C[^\x00-\x1f]")
# An entry of zsh's menu, alone in its piece.
CHOSEN = re.compile(r"(?:\x1b\[[0-9]+C)?\x1b\[7m[^\x1b]*\x1b\[27m *(?:\x1b\[27m)?\Z")
GOES_UP = re.compile(r"\x1b\[[0-9]*A")
# A piece that shows nothing: modes only, a line erased to be drawn again, or curses that gives the normal screen back.
SHOWS_NOTHING = re.compile(
    r"(?:(?!.*\x1b\[\?7h).*\x1b\[\?2004l|(?:\x1b\[[0-9]*[AB])*\x1b\[2K|.*\x1b\[[0-9]*A|(?!.*\x1b\[\?1l).*\x1b\[\?1049l(?:\x1b\[23;0;0t)?"
    r"|.*\x1b\[\?1049l(?:\x1b\[23;0;0t)?\x1b\[39;49m)\Z",
    re.DOTALL,
)
DRAWN_BY_ZLE = "\x1b[0m\x1b[27m\x1b[24m\x1b[J"  # a prompt of zsh's, after a return
TITLE = re.compile(r"(?:\x1b\][^\x07\x1b]*(?:\x07|\x1b\\))+\Z")
# vim gives the normal screen back, and then writes two returns and a line feed.
LEFT_VIM = re.compile(r"\x1b\[\?1049l(?:\x1b\[23;0;0t)?\x1b\[\?25h\x1b\[>4;m\Z")
# DECAWM: prompt_toolkit draws without it, and goes down a row by two returns and a line feed.
WRAPPING, WRAPS, UNWRAPS = "\x1b[?7", "\x1b[?7h", "\x1b[?7l"
DIRECTORY = "\x1b]7;"  # fish tells it, and returns
TAKES_PASTES, ENDS_PASTES = "\x1b[?2004h", "\x1b[?2004l"  # only a line editor does
# However many of them: none begins in the midst of others.
ROSE = re.compile(r"(?<!\x1b\[A)(?<!\x1b\[[0-9]A)(?<!\x1b\[[0-9]{2}A)(?:\x1b\[[0-9]*A)++(?:\x1b\[[0-9;]*m|\x1b\(B)*\Z")
SOUGHT = re.compile(r"(?:\x1b\[K)?[/?]\x1b\[K")  # in less
# What ssh asks, or says before it does, after a return.
ASKED_AFTER_RETURN = re.compile(
    r"The authenticity of host |Please type 'yes'|[\w.-]+@[\w.:\[\]-]+'s password: |Enter passphrase for key '"
)
STEPS = re.compile(r"\x1b\[[0-9]+C\n?")  # to the cursor's place: linenoise has drawn its line
# git returns behind each step of a rebase, unless it tells in lines of their own what became of it.
STEP_OF_REBASE, AFTER_STEP = r"Rebasing \([0-9]+/[0-9]+\)", r"\x1b\[K|Rebasing \("
REBASES = re.compile(rf"(?:\x1b\[K)?{STEP_OF_REBASE}\n(?:\Z|{AFTER_STEP})")
DRAWN_BY_IEX = re.compile(r"\x1b\[A\x1b\[J(?:iex|\.\.\.)\(")  # the line that was entered, once more
DRAWN_BY_NODE = re.compile(r"\x1b\[1G\x1b\[0J")  # the line that is typed, and what asks for it
ERASES_FROM_ABOVE = re.compile(r"\x1b\[A(?:\x1b\[C)*+\x1b\[K\Z")  # a row's end, before the row below
NEW_ROW = re.compile(r"\x1b\[K\x1b\[[0-9]+C")  # of a block, in fish
COLOURS = re.compile(r"(?:\x1b\[[0-9;]*m|\x1b\(B)+")  # an empty line, in less and in mysql
COLOURED = re.compile(r"(?:\x1b\[[0-9;]*m)+[^\x00-\x1f\x7f]")
CURSOR_KEYS = re.compile(r"\x1b\[\?1[hl]")
# python goes up a row to feed a line before its prompt.
FEEDS = re.compile(r"\x1b\[\?1h(?:\x1b=|\x1b\[\?25l)*\x1b\[1A\Z")
HIDES = re.compile(r"\x1b\[\?25l(?:\x1b\[[0-9]+D)?\Z")  # and another one to go on in
ERASES = re.compile(r"(?:\x1b\[[0-2]?K)+")
ERASES_ONLY = re.compile(ERASES.pattern + r"\Z")
# The next page is written over what a pager asks with.
MORE_PROMPT = r"\x1b\[7m--More--[^\n\x1b]*+\x1b\[(?:27)?m"
LESS_PROMPT = r"(?::|\x1b\[7m[^\n\x1b]*+\x1b\[(?:27)?m)\x1b\[K(?=\n\x1b\[K)"
PAGER_ASKS = re.compile(rf"(?:{MORE_PROMPT}|--More--[^\n\x1b]*+|{LESS_PROMPT})\n")


LESS_ASKS_FIRST = re.compile(r"(?::|\x1b\[7m(?!lines |\(END\))[^\n\x1b]*+\x1b\[(?:27)?m)\x1b\[K\n")


class Seam(NamedTuple):
    """Where one piece ends and the next one begins."""

    last: str
    following: str
    shown: str  # of what follows
    time: str  # of what follows


def drawn_above(piece: str) -> bool:
    """It goes up, ends in what it writes there, and leaves what stands below."""
    _, up, behind = piece.partition(CUU)
    return bool(up) and piece[-1:] >= " " and "\x1b[J" not in behind


def shows_nothing(piece: str) -> bool:
    if SHOWS_NOTHING.match(piece) is not None:
        return True
    # ipython writes a title and an empty line, and prompt_toolkit one after what it has drawn: these are no redraws.
    # fish writes its title while it begins or ends a line, and returns.
    titled = "\x1b]" in piece and not any(sign in piece for sign in (TAKES_PASTES, ENDS_PASTES, DIRECTORY))
    if titled or WRAPS in piece or COLOURS.fullmatch(piece):
        return False
    return not CURSOR_KEYS.sub("", SILENT.sub("", piece))


# --- many in a row

MODES = b"\x1b[?"
# Patterns that begin with a literal are many times faster.
MORE_ASKS, LESS_ASKS = re.compile(rf"({MORE_PROMPT})\n".encode()), re.compile(rf"(\n{LESS_PROMPT})\n".encode())
# `top` ends its lines with EL, and shows an empty one as nothing but that.
# What goes to the first column itself needs no return.
ERASES_BEFORE = re.compile(rb"\n(?<!\x1b\[K\n)(?=\x1b\[[0-2]?K(?!\n|\r|\Z|\x1b\[1?G)|\x1b\[[0-9]*B)")
# A row above was drawn: `docker pull` comes back down, and returns.
COMES_BACK = re.compile(rb"\n(?<=\x1b\[[0-9]B\n|\[[0-9]{2}B\n)")
# What zsh and fish write before their prompt to have it in the first column, and wipe again.
SHELL_MARKS = re.compile(
    r"(?:[%#](?=\x1b)|⏎|¶)(?:\x1b\[[0-9;]*m|\x1b\(B)*+ {9,499}+(?:\x1b\[[0-9;]*m|\x1b\(B)*+\n(?:(?:⏎)? \n)?+".encode()
)
ERASES_LINE = b"\x1b[1G\x1b[0J"  # node, before its prompt, where nothing is
FISH_MARK = "⏎"
FISH_MARK_IN_UTF8, MARK_BLANKS = FISH_MARK.encode(), b"       \n"
ENDS_IN_RETURN = (b"\x1b[?2004l\n", b"\x1b[2K\n", b"\x1b[?1049l\x1b[23;0;0t\n", b"\x1b[?1049l\x1b[23;0;0t\x1b[39;49m\n")
REBASED = re.compile(rf"({STEP_OF_REBASE})\n(?=\n|{AFTER_STEP})".encode())
# A bar below others, in tqdm: down to it, a return, back up; then down to the next one, or a return.
BACK_UP = re.compile(rb"\x1b\[1?A\n(?!\r)")
DRAWN_BELOW = re.compile(rb"\n\n(?=(?:[^\n\x1b]|\x1b\[[0-9;]*[mK])*+" + BACK_UP.pattern + b")")


def with_returns(lines: bytes, without_silent: Callable[[bytes], bytes], *, modes: bool) -> bytes:
    """`lines` without what moves and shows nothing, and with the returns that the sequences in them tell of. `modes`: some
    of them set modes."""
    if b"\x1b" not in lines:
        return lines
    if ERASES_LINE in lines:
        lines = (b"\n" + lines).replace(b"\n" + ERASES_LINE, b"\n")[1:]
    bare = without_silent(lines)
    if modes or b"\x1b" in bare or b"--More--" in lines or _marks(lines):
        returned = _returned(lines)
        return bare if returned == lines else without_silent(returned)
    return bare


def _marks(lines: bytes) -> bool:
    # One byte is found thirty times as fast as three.
    return (FISH_MARK_IN_UTF8[1:2] in lines and FISH_MARK_IN_UTF8 in lines) or MARK_BLANKS in lines


def _returned(lines: bytes) -> bytes:
    if _marks(lines):
        lines = SHELL_MARKS.sub(lambda mark: mark.group().replace(b"\n", b"\r"), lines)
    for ending in ENDS_IN_RETURN:
        if ending in lines:
            lines = lines.replace(ending, ending[:-1] + b"\r")
    if b"Rebasing (" in lines:
        lines = REBASED.sub(rb"\1" + b"\r", lines)
    if b"A\n" in lines:
        lines = BACK_UP.sub(b"\x1b[A\r", DRAWN_BELOW.sub(b"\n\r", lines))
    if b"\n\x1b[" not in lines:
        return lines
    if b"B\n" in lines:
        lines = COMES_BACK.sub(b"\r", lines)
    if b"--More--" in lines:
        lines = MORE_ASKS.sub(rb"\1" + b"\r", lines)
    if b"\x1b[K\n\x1b[K" in lines:
        lines = LESS_ASKS.sub(rb"\1" + b"\r", b"\n" + lines)[1:]
    return ERASES_BEFORE.sub(b"\r", lines)
