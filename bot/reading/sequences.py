"""Control sequences (ECMA-48, and what xterm adds), as patterns: text is cut into them in C, never byte by byte.

Strings (OSC, DCS, APC, PM, SOS) end at ST, BEL, CAN or SUB, and here also at a line's end: a title that is never
closed must not swallow what a person saw after it.
"""

from __future__ import annotations

import re

from bot.reading.lazily import lazily

_BODY = r"[^\x07\x1b\x18\x1a\x9c\n]*+(?:\x07|\x1b\\|[\x18\x1a\x9c])?"  # of a string
_STRING = rf"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]){_BODY}"
_CSI = r"(?:\x1b\[|\x9b)"

# Text, then a CSI sequence by its parts, then everything else. A lone ESC or a broken sequence is dropped.
TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]++)"
    rf"|{_CSI}(?P<mark>[<-?]?)(?P<parameters>[0-;]*+)(?P<between>[ -/]*+)(?P<final>[@-~])"
    rf"|(?P<string>{_STRING})"
    rf"|(?P<broken>{_CSI}[0-?]*+[ -/]*+)"
    r"|\x1b(?P<escape>[ -/]*+[0-~])"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])",
)
# All of that but text. It begins with a set, and must, as below.
_AFTER_CSI = r"(?:[<-?]?[0-;]*+[ -/]*+[@-~]|[0-?]*+[ -/]*+)"
NOT_TEXT = re.compile(
    r"[\x00-\x1f\x7f-\x9f](?:"
    rf"(?<=\x1b)(?:\[{_AFTER_CSI}|[\]PX^_]{_BODY}|[ -/]*+[0-~])|(?<=\x9b){_AFTER_CSI}|(?<=[\x90\x98\x9d-\x9f]){_BODY}"
    r")?"
)

# What changes neither the cursor nor a cell: colours, titles, cursor shapes, paste mode, how keys are sent, questions to the
# terminal.
# It begins with a literal ESC, and must: a pattern that begins with a choice is ten times slower.
_SILENT = (
    r"(?:\[[0-?]*+(?:[mnct]|[hl](?:(?<=\?2004[hl])|(?<=\?(?:25|12)[hl]))| q|u(?:(?<=[<-?]u)|(?<=[<-?][0-9]u)))"
    r"|[\]PX^_][^\x07\x1b\x18\x1a\x9c\n]*+(?:\x07|\x1b\\|[\x18\x1a\x9c])?"
    r"|[=>\\]"
)
SILENT = re.compile(r"\x1b" + _SILENT + r"|[()][B@A])")
SILENT_BUT_SETS = re.compile(r"\x1b" + _SILENT + ")")
# The same in UTF-8.
_SILENT_BYTES = (
    rb"\x1b"
    + _SILENT.replace(
        r"[^\x07\x1b\x18\x1a\x9c\n]*+(?:\x07|\x1b\\|[\x18\x1a\x9c])?",
        r"(?:[^\x07\x1b\x18\x1a\xc2\n]|\xc2(?!\x9c))*+(?:\x07|\x1b\\|[\x18\x1a]|\xc2\x9c)?",
    ).encode()
)
SILENT_BYTES = re.compile(_SILENT_BYTES + rb"|[()][B@A])")
SILENT_BUT_SETS_BYTES = re.compile(_SILENT_BYTES + b")")
# Likewise: NUL, BEL, DEL.
SILENT_CONTROLS = ("\0", "\x07", "\x7f")
DRAWING_SETS = ("\x1b(0", "\x1b)0")

# Anything left that is not text, a tab or a line's end: the line needs more than a substitution.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def controls_in(text: bytes) -> bytes:
    """The control characters in a text in UTF-8 but for tabs and line ends, and the first bytes of those of C1."""
    return text.translate(None, _NO_CONTROLS)


def may_hold_c1(text: str) -> bool:
    return _BEGINS_C1 in text.encode("utf-8", "surrogatepass")


class Controls:
    """The places of such characters in one text. True where it has any."""

    __slots__ = ("_next", "_text")

    def __init__(self, text: str) -> None:
        # A pattern of a set of characters reads 170 MB/s: what kinds there are is told five times as fast, and each
        # kind is then found in no time.
        kinds = set(controls_in(text.encode("utf-8", "surrogatepass")))
        controls = {chr(kind) for kind in kinds if kind < _BEGINS_C1}
        if _BEGINS_C1 in kinds:
            controls.update(_C1.findall(text))
        self._text = text
        self._next = dict.fromkeys(controls, -1)

    def __len__(self) -> int:
        return len(self._next)

    def after(self, at: int) -> int:
        """Where the first one stands from `at` on; the text's length where there is none. `at` never goes back."""
        first = end = len(self._text)
        for control, place in self._next.items():
            if place < at:
                found = self._text.find(control, at)
                self._next[control] = found if found >= 0 else end
            first = min(first, self._next[control])
        return first


def beyond_ascii(text: str) -> str:
    """Those of its characters, which are few and the only ones that a pattern need look at."""
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


def only_returns(line: str) -> bool:
    """Nothing in `line` controls but returns."""
    return "\x1b" not in line and not line.encode("utf-8", "surrogatepass").translate(None, _NO_CONTROLS + b"\r")


_ASCII = bytes(range(0x80))
_BEGINS_C1 = 0xC2  # in UTF-8
_NO_CONTROLS = bytes(byte for byte in range(256) if byte not in (*range(0x20), 0x7F, _BEGINS_C1)) + b"\t\n"
_C1 = re.compile("[\x80-\x9f]")

CUU, CUF = "\x1b[A", "\x1b[C"
_CUU = re.compile(r"\x1b\[([0-9]{0,4})A")


def rows_risen(text: str) -> int:
    """How many rows `text` goes up."""
    return sum(int(rows or 1) for rows in _CUU.findall(text))


# A sequence whose end has not come yet, at the end of a piece.
UNFINISHED = re.compile(
    r"(?:\x1b|(?:\x1b\[|\x9b)[0-?]*+[ -/]*+|\x1b[ -/]++|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x18\x1a\x9c\n]*+\x1b?)\Z"
)
C1_INTRODUCER = re.compile("[\x90\x98\x9b\x9d-\x9f]")
LONGEST_SEQUENCE = 4096

LEAVES_ALTERNATE = re.compile(r"\x1b\[\?(?:[0-9;]*;)?(?:1049|1047|47)(?:;[0-9;]*)?l|\x1bc")

# Characters that may take two columns or none: everything else takes one.
UNEVEN_SET = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u1dff\u200b-\u200f\u2028-\u202e\u2060-\u206f\u20d0-\u20f0\u231a-\u231b"
    "\u2329-\u232a\u23e9-\u23f3\u25fd-\u25fe\u2614-\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa-\u26ab\u26bd-\u26be"
    "\u26c4-\u26c5\u26ce\u26d4\u26ea\u26f2-\u26f5\u26fa\u26fd\u2705\u270a-\u270b\u2728\u274c\u274e\u2753-\u2757"
    "\u2795-\u2797\u27b0\u27bf\u2b1b-\u2b1c\u2b50\u2b55\u2cef-\u2cf1\u2d7f\u2de0-\u2dff\u2e80-\ud7ff\uf900-\ufaff\ufb1e"
    "\ufe00-\ufe6f\ufeff\uff01-\uff60\uffe0-\uffe6\ufff9-\ufffb\U000101fd-\U0010ffff"
)
UNEVEN = lazily(f"[{UNEVEN_SET}]")

# A line that only overprints itself (progress bars, most typing): it can be settled without cells.
_ERASE_TO_END = r"\x1b\[0?K"
OVERPRINTING = re.compile(rf"(?:[^\x00-\x1f\x7f-\x9f]|[\r\b]|{_ERASE_TO_END}|\x1b\[[12]K|\x1b\[1?G)*+")
OVERPRINT_TOKEN = re.compile(r"[^\x00-\x1f\x7f-\x9f]++|\r|\x08++|\x1b\[[0-2]?K|\x1b\[1?G")
# From here on nothing is left of what the line held before.
ERASED_LINE = re.compile(rf"(?:\r|\x1b\[1?G){_ERASE_TO_END}|\x1b\[2K(?:\r|\x1b\[1?G)")
