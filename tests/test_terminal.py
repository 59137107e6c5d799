"""What is left on the screen: text in, lines out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reading.sequences import SILENT, SILENT_BUT_SETS, SILENT_BUT_SETS_BYTES, SILENT_BYTES
from bot.reading.terminal import Terminal


def lines(text: str, *, width: int = 80, height: int = 24) -> list[str]:
    emitted: list[bytes] = []
    terminal = Terminal(emitted.append)
    terminal.resize(width, height)
    terminal.feed(text)
    terminal.close()
    return [line.rstrip() for line in b"".join(emitted).decode().rstrip().split("\n")]


CASES: dict[str, tuple[str, list[str]]] = {
    "colours": ("\x1b[1;31mred\x1b[0m plain\x1b[38;2;1;2;3m x\r\n", ["red plain x"]),
    "a title": ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", ["alink"]),
    "a title that never ends": ("\x1b]0;title\r\nseen", ["", "seen"]),
    "overprinting": ("one\rtw", ["twe"]),
    "a tab writes over nothing": ("working\r\tdone\r\na\tb\rXYZ", ["working done", "XYZ     b"]),
    "backspace in a line that wrapped": ("a" * 50 + "\b" + "b" * 50 + "\rX", ["a" * 49 + "b" * 31 + "X" + "b" * 18]),
    "letters that end control sequences too": ("ab\b\bDEBUG\r\n10\b\b1K\r\none\r\x1b[KLOG", ["DEBUG", "1K", "LOG"]),
    "erasing": ("one two\r\x1b[Kthree", ["three"]),
    "backspace": ("abc\b\bX", ["aXc"]),
    "cursor left and delete": ("abcdef\x1b[4D\x1b[2P", ["abef"]),
    "insert": ("abc\r\x1b[2@XY", ["XYabc"]),
    "insert mode": ("abc\r\x1b[4hXY\x1b[4l", ["XYabc"]),
    "erase characters": ("abcdef\r\x1b[3X", ["   def"]),
    "cursor up": ("one\r\ntwo\x1b[A\rONE", ["ONE", "two"]),
    "next and previous line": ("a\x1b[Eb\x1b[FA", ["A", "b"]),
    "columns": ("\x1b[5Gx\x1b[3`y\x1b[2dz", ["  y x", "   z"]),
    "save and restore": ("\x1b7one\x1b8T\x1b[sx\x1b[uE", ["TEe"]),
    "tabs": ("a\tb\r\n漢\tb", ["a       b", "漢      b"]),
    "own tab stops": ("\x1b[3g\x1b[4G\x1bH\r\tx", ["   x"]),
    "back tab": ("a       b\x1b[ZB", ["a       B"]),
    "wide characters": ("漢字\bX", ["漢 X"]),
    "half of a wide character": ("漢字\rX", ["X 字"]),
    "combining": ("e\u0301\bE", ["E"]),
    "a vowel sign of Hindi takes a column, its virama none": ("दिल्ली\b\b\bX", ["दिXली"]),
    "Korean by its letters": ("\u1112\u1161\u11ab\b\bX", ["X"]),
    "repeat": ("ab\x1b[3b", ["abbbb"]),
    "line drawing": ("\x1b(0lqk\x1b(B|\x0e", ["┌─┐|"]),
    "reverse index": ("one\x1bMx", ["   x", "one"]),
    "insert and delete lines": ("a\r\nb\r\nc\x1b[2;1H\x1b[Lx\x1b[3;1H\x1b[M", ["a", "x", "c"]),
    "clearing keeps": ("one\r\n\x1b[H\x1b[2Jtwo", ["one", "two"]),
    "clearing from the top keeps": ("one\x1b[H\x1b[Jtwo", ["one", "two"]),
    "erasing below": ("one\r\ntwo\r\nthree\x1b[2;1H\x1b[Jx", ["one", "x"]),
    "the alternate screen, left twice": ("a\r\nb\x1b[?1049h\x1b[?1049lc\x1b[4;1Hd\x1b[?1049le", ["a", "be", "", "d"]),
    "the alternate screen": ("a\r\n\x1b[?1049hmess\x1b[5;5H\x1b[?1049lb", ["a", "b"]),
    "a bare line feed": ("a\r\nb\nc", ["a", "b", " c"]),
    "bare line feeds only": ("a\nb\nc", ["a", "b", "c"]),
    "C1 controls": ("a\x85b\x9b2Dx", ["a", "x"]),
    "broken sequences": ("\x1b[\x1b[?\x1b[1;\x1bZok", ["ok"]),
    "huge parameters": ("\x1b[99999999999999999999Cx\r\x1b[" + "1;" * 2000 + "Hy", ["y" + " " * 78 + "x"]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_left(text: str, expected: list[str]) -> None:
    assert lines(text) == expected


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_character_by_character_it_is_the_same(text: str, expected: list[str]) -> None:
    emitted: list[bytes] = []
    terminal = Terminal(emitted.append)
    for character in text:
        terminal.feed(character)
    terminal.close()
    assert [
        line.rstrip() for line in b"".join(emitted).decode().rstrip().split("\n")
    ] == expected or "bare line feed" in text


def test_a_line_that_wraps_is_one_line() -> None:
    assert lines("x" * 25 + "\x1b[5D!", width=10) == ["x" * 20 + "!" + "x" * 4]


def test_without_wrap_the_last_column_is_overprinted() -> None:
    assert lines("\x1b[?7l" + "x" * 12 + "y", width=10) == ["x" * 9 + "y"]


def test_scroll_region_keeps_what_is_outside() -> None:
    assert lines("a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\r\nx", height=4) == ["a", "c", "x", "d"]


def test_rows_that_scroll_away_are_kept() -> None:
    text = "\r\n".join(str(number) for number in range(50)) + "\x1b[A\r!"
    assert lines(text, height=5) == [*map(str, range(48)), "!8", "49"]


def test_a_very_long_line_is_handed_on_in_parts() -> None:
    emitted: list[bytes] = []
    terminal = Terminal(emitted.append)
    terminal.feed("above\r\n")
    for _ in range(100):
        terminal.feed("word " * 2000)
    assert len(emitted) > 10
    terminal.close()
    assert b"".join(emitted).decode() == "above\n" + "word " * 200_000 + "\n"


SHOWN = ["a", " ", "\t", "\n", "ü", "漢", "e\u0301", "✓"]
# What sequences are made of, in one byte and in several.
SIGNS = [*"\x1b[]P\\?;0mhl=Ü\u071c\x07\x18\x9c\x90\xc2", "2004", "25", " q", "(0", "(B"]
SEQUENCES = st.lists(st.sampled_from(SIGNS + SHOWN), max_size=40).map("".join)
LINES = st.lists(st.sampled_from(["\x1b[K", *SHOWN]), max_size=40).map("".join)


@given(SEQUENCES)
def test_in_utf8_the_same_sequences_are_silent(text: str) -> None:
    assert SILENT_BYTES.sub(b"", text.encode()) == SILENT.sub("", text).encode()
    assert SILENT_BUT_SETS_BYTES.sub(b"", text.encode()) == SILENT_BUT_SETS.sub("", text).encode()


@given(LINES)
def test_lines_that_pass_are_those_that_are_fed(text: str) -> None:
    emitted: list[bytes] = []
    fed: list[bytes] = []
    passing, feeding = Terminal(emitted.append), Terminal(fed.append)
    passing.feeds_return = feeding.feeds_return = True
    assert passing.pass_lines(text.encode())
    feeding.feed(text)
    assert (passing.line(), passing.lines) == (feeding.line(), feeding.lines)
    passing.close()
    feeding.close()
    assert b"".join(emitted) == b"".join(fed)


def test_a_line_that_is_half_above_the_screen_is_counted_once() -> None:
    terminal = Terminal(lambda _lines: None)
    terminal.resize(20, 4)
    terminal.feed("one\r\n" + "x" * 70 + "\r\ntwo\r\n> ")
    passed = terminal.lines
    terminal.feed("ab\x1b[D")  # cells are drawn from here on, with what fits of the lines above
    assert terminal.lines == passed == 3


@pytest.mark.parametrize("width", [80, 120, 400])
def test_a_row_drawn_above_is_one_row_however_wide_the_window_is(width: int) -> None:
    layer = "layer: " + "=" * 90
    shown = f"layer: waiting\r\n\x1b[1A\x1b[2K\r{layer}\x1b[1B\r\x1b[1A\x1b[2K\r{layer}>\x1b[1B\rdone"
    assert lines(shown, width=width) == [layer + ">", "done"]
