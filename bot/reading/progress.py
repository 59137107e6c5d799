"""Which of two lines is the next state of the same progress bar: told by likeness, where a log has lost the return."""

from __future__ import annotations

import re
from functools import lru_cache

SPINNERS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏⣾⣽⣻⢿⡿⣟⣯⣷◐◓◑◒"
# What changes from state to state: numbers, their units, bars, spinners.
CHANGES = re.compile(rf"[0-9.,:?]+(?: ?[kKMGT]?i?[bB](?:/s)?)?|[\s█▏▎▍▌▋▊▉░▒▓━╸╺─=#>\-|/\\{SPINNERS}]+")
PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)%")
# curl's times: total, spent and left.
TIMES = re.compile(r"--:--|(?:[0-9]+:[0-9]{2}:[0-9]{2} +){2}")
LONGEST = 400
LONGEST_PERCENT = 24


def supersedes(last: str, following: str) -> bool:
    """`following` replaces `last` on the screen."""
    if max(len(last), len(following)) > LONGEST:
        return False
    if not last.strip():
        # A bar begins at a line's start: the return before its first state left an empty piece.
        blanked = len(last) > 3 and bool(following.strip())
        return blanked or (last == "" and (PERCENT.search(following) or TIMES.search(following)) is not None)
    if not following.strip():
        return _tells(last)
    if not _tells(last):
        return False
    if _shape(last) == _shape(following):
        return _percent(last) <= _percent(following)
    return _done(last, following)


def _tells(line: str) -> bool:
    return "%" in line or "--:--" in line or "it/s" in line or line.count(":") >= 6 or line.lstrip()[:1] in SPINNERS


@lru_cache(maxsize=2)  # each line is compared with the one before it and with the one after it
def _shape(line: str) -> str:
    return CHANGES.sub("", line)


def _percent(line: str) -> float:
    found = PERCENT.search(line, max(0, line.find("%") - LONGEST_PERCENT)) if "%" in line else None
    return float(found.group(1)) if found else 0.0


def _done(last: str, following: str) -> bool:
    """The last state says so in words: the same beginning, another end."""
    found = PERCENT.search(last)
    return found is not None and found.start() >= 8 and following.startswith(last[: found.start()].rstrip())
