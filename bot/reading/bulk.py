"""Where lines that a recorder cut in a row ended in returns, as far as what stands in them tells: many lines at once, in UTF-8."""

from __future__ import annotations

import re
from collections.abc import Callable

MODES = b"\x1b[?"
# The next page is written over what a pager asks with.
MORE = r"\x1b\[7m--More--[^\n\x1b]*+\x1b\[(?:27)?m"
LESS = r"(?::|\x1b\[7m[^\n\x1b]*+\x1b\[(?:27)?m)\x1b\[K(?=\n\x1b\[K)"
# Patterns that begin with a literal are many times faster.
MORE_ASKS, LESS_ASKS = re.compile(rf"({MORE})\n".encode()), re.compile(rf"(\n{LESS})\n".encode())
# `top` ends its lines with EL, and shows an empty one as nothing but that.
ERASES_BEFORE = re.compile(rb"\n(?<!\x1b\[K\n)(?=\x1b\[[0-2]?K(?!\n|\r|\Z)|\x1b\[[0-9]*B)")
# A row above was drawn: `docker pull` comes back down, and returns.
COMES_BACK = re.compile(rb"\n(?<=\x1b\[[0-9]B\n|\[[0-9]{2}B\n)(?=\x1b\[[0-9]*A|\n)")
# What zsh and fish write before their prompt to have it in the first column, and wipe again.
MARKS = re.compile(
    r"(?:[%#]|⏎|¶)(?:\x1b\[[0-9;]*m|\x1b\(B)*+ {9,499}+(?:\x1b\[[0-9;]*m|\x1b\(B)*+\n(?:(?:⏎)? \n)?+".encode()
)
MARK, BLANKS = "⏎".encode(), b"       \n"
ENDS_IN_RETURN = (b"\x1b[?2004l\n", b"\x1b[2K\n", b"\x1b[A\n", b"\x1b[?1049l\x1b[23;0;0t\n")


def with_returns(lines: bytes, without_silent: Callable[[bytes], bytes]) -> bytes:
    """`lines` without what moves and shows nothing, and with the returns that the sequences in them tell of."""
    if b"\x1b" not in lines:
        return lines
    bare = without_silent(lines)
    if b"\x1b" in bare or MODES in lines or b"--More--" in lines or MARK in lines or BLANKS in lines:
        returned = _returned(lines)
        return bare if returned == lines else without_silent(returned)
    return bare


def _returned(lines: bytes) -> bytes:
    if MARK in lines or BLANKS in lines:
        lines = MARKS.sub(lambda mark: mark.group().replace(b"\n", b"\r"), lines)
    for ending in ENDS_IN_RETURN:
        if ending in lines:
            lines = lines.replace(ending, ending[:-1] + b"\r")
    if b"\n\x1b[" not in lines:
        return lines
    if b"B\n" in lines:
        lines = COMES_BACK.sub(b"\r", lines)
    if b"--More--" in lines:
        lines = MORE_ASKS.sub(rb"\1" + b"\r", lines)
    if b"\x1b[K\n\x1b[K" in lines:
        lines = LESS_ASKS.sub(rb"\1" + b"\r", b"\n" + lines)[1:]
    return ERASES_BEFORE.sub(b"\r", lines)
