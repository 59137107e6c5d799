"""Text that somebody else typed, made visible: what has no glyph of its own is spelled out as ‹U+202E›."""

from __future__ import annotations

import re

# C1 controls and lone surrogates, then Unicode's Default_Ignorable_Code_Point (UAX #44) with the line and paragraph separators.
# The two variation selectors of emoji (FE0E, FE0F) stay: they change a glyph, they hide none.
_HIDDEN = (
    "\x7f-\x9f\ud800-\udfff"
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_WITHOUT_GLYPH = re.compile(f"[\x00-\x1f\u200c\u200d{_HIDDEN}]")
_WITHOUT_GLYPH_IN_TEXT = re.compile(f"[{_HIDDEN}]")


def visible(text: str) -> str:
    return _WITHOUT_GLYPH.sub(_spelled, text)


def legible(transcript: str) -> str:
    """As `visible`, but a transcript keeps its line feeds, the only controls in it, and what joins letters or emoji."""
    return transcript if transcript.isascii() else _WITHOUT_GLYPH_IN_TEXT.sub(_spelled, transcript)


def _spelled(match: re.Match[str]) -> str:
    return f"‹U+{ord(match[0]):04X}›"


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
