"""Where a line editor's cursor can have gone, and so how wide its window is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reading.walk import Window, Written

PROMPT = "app ~ $ "
MARKED = "\x1b[32mapp\x1b[0m ~ \x1b[1m$\x1b[0m "  # its colours take 17 columns, if they are counted
UP, RIGHT = "\x1b[A", "\x1b[C"


@pytest.mark.parametrize(
    ("behind", "width", "counts"),
    [
        ("ls\b\b", 80, False),
        ("a" * 72 + " \r" + UP + "\x1b[79C", 80, False),  # back over the edge, from behind a full row
        ("a" * 100 + UP, 80, False),
        ("a" * 60 + UP, 80, True),
        ("a" * 100 + "\r\x1b[8Cb\x1b[K", 120, False),
        ("ls\r(reverse-i-search)`': \x1b[K\b\b\be': echo\b\b\b", 80, False),
    ],
)
def test_a_way_within_the_line(behind: str, width: int, counts: bool) -> None:
    assert Written(MARKED + behind, PROMPT).fits(width, counts_colours=counts)


@pytest.mark.parametrize(
    ("behind", "width"),
    [
        ("ls" + UP, 80),  # above its first row
        ("ls" + "\b" * 11, 80),  # left of its first column
        ("ls\b\b\b\b", 80),  # into the prompt
        ("ls" + RIGHT * 3, 80),  # behind its end
        ("a" * 72 + "\b", 80),  # from behind a full row
        ("a" * 71 + "\b\x1b[2@", 80),  # pushed over the edge
        ("a" * 80 + "\r\x1b[3C\x1b[2P", 120),  # in the midst of the prompt
    ],
)
def test_a_way_out_of_the_line(behind: str, width: int) -> None:
    assert not Written(MARKED + behind, PROMPT).fits(width, counts_colours=False)


def test_the_window_in_which_there_is_a_way() -> None:
    written = Written(MARKED + "a" * 60 + UP, PROMPT)
    windows = [Window(width, counts) for counts in (False, True) for width in (80, 100, 60)]
    window, refuted = written.window(windows)
    assert window == Window(60, counts_colours=False)
    assert refuted == {Window(80, counts_colours=False), Window(100, counts_colours=False)}


def test_a_prompt_that_is_drawn_again_only_to_go_to_its_end_counts_no_colours() -> None:
    written = Written(f"{MARKED}{'a' * 80}{UP}\r{MARKED}{RIGHT}", PROMPT)
    window, _ = written.window([Window(80, counts_colours=True), Window(80, counts_colours=False)])
    assert window == Window(80, counts_colours=False)


STEPS = [
    "\r",
    "\n",
    "\b",
    UP,
    RIGHT,
    "\x1b[B",
    "\x1b[3@",
    "\x1b[2P",
    "\x1b[K",
    "a" * 30,
    "漢",
    MARKED,
    "(reverse-i-search)`a': ",
    "\x1b[",
]


@given(st.lists(st.sampled_from(STEPS), max_size=30).map("".join), st.integers(1, 200), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_way_is_followed(behind: str, width: int, counts: bool) -> None:
    assert Written(MARKED + behind, PROMPT).fits(width, counts_colours=counts) in (True, False)
