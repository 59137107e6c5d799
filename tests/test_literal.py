"""What has no glyph of its own is spelled out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.literal import shortened, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, 漢字, 👍, ❤️, é, e\u0301", "plain, 漢字, 👍, ❤️, é, e\u0301"),
        ("a\x1b[31mb\x07", "a‹U+001B›[31mb‹U+0007›"),
        ("\x9b2J", "‹U+009B›2J"),
        ("one\ntwo\ttabs\r", "one‹U+000A›two‹U+0009›tabs‹U+000D›"),
        ("gpj\u202eexe", "gpj‹U+202E›exe"),
        ("pass\u200bword\ufeff", "pass‹U+200B›word‹U+FEFF›"),
        ("a\u2028b\U000e0041", "a‹U+2028›b‹U+E0041›"),
        ("lone \ud800", "lone ‹U+D800›"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_no_control_or_format_character_is_left_and_twice_is_once(text: str) -> None:
    shown = visible(text)
    # Cf beyond these belongs to scripts, and has a glyph there.
    assert not [each for each in shown if unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"}]
    assert visible(shown) == shown
    shown.encode()


@given(st.text(), st.integers(1, 50))
def test_shortened_stays_within_its_limit(text: str, limit: int) -> None:
    cut = shortened(text, limit)
    assert len(cut) <= limit
    assert cut == text or cut.endswith("…")
