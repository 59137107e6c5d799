"""Which of two lines is the next state of the same progress bar: told by likeness, where a log has lost the return."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby, pairwise

from bot.reading.repaints import narrow, overlaid
from bot.reading.sequences import ERASED_LINE

SPINNERS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏⣾⣽⣻⢿⡿⣟⣯⣷◐◓◑◒"
SPINNING = tuple(SPINNERS)
# The oldest one has four states, before or behind its words.
TURNS = {"|": "/", "/": "-", "-": "\\", "\\": "|"}
TICKS = "✔✓✅✖✗❌"
NO_BAR_HAS = "\t\b\x1b"
# What changes from state to state: numbers, their units, bars, spinners.
CHANGES = re.compile(rf"[0-9.,:?]+(?: ?[kKMGT]?i?[bB](?:/s)?|[kKMGT](?!\w))?|[\s█▏▎▍▌▋▊▉░▒▓━╸╺─=#>\-|/\\{SPINNERS}]+")
PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)%")
# curl's times: total, spent and left.
TIMES = re.compile(r"--:--|(?:[0-9]+:[0-9]{2}:[0-9]{2} +){2}")
CLOCKS = re.compile(r"[0-9]:[0-9]{2}:[0-9]{2} ")
SPINS_FIRST = b"\xe2"
SPINS = re.compile(SPINS_FIRST + rb"(?:[\xa0-\xa3]|\x97[\x90-\x93])")  # those characters and their like, in UTF-8
# Drawn with the cursor saved and restored: apt's bar stands below the lines that scroll, not in them.
ELSEWHERE = re.compile(r"\x1b7[^\n\x1b]*+(?:\x1b(?![78])[^\n\x1b]*+)*+\x1b8(?:\x1b\[1A)?")
RESTORES = "\x1b8"
MORE = "--More--"  # how far it is in percent
LONGEST = 400
LONGEST_PERCENT = 24
SHORTEST_NAME = 8  # before a percentage
DONE = "... Done"
FEW_BLANKS = 3
WGET_DONE = re.compile(r"\] .* in [0-9.]+[a-z]{1,2} *\Z")  # an empty line follows
FFMPEG = re.compile(r"frame= *[0-9]+ fps=.*bitrate=")
APT = ("Reading package lists", "Building dependency tree", "Reading state information")
REMOTE, GIT_BAR = "remote: ", re.compile(r"[A-Z][a-z]{2,20} [a-z]{2,20}: +[0-9]{1,3}% \([0-9]+/[0-9]+\)[^.]*+")
# The same for many lines at once. It leaves units, and takes every letter outside ASCII: what is alike here is alike.
ALIKE = b"0123456789.,:? \t-=#>|/\\" + bytes(range(0x80, 0x100))
FIRST_PERCENTS = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)%[^\n]*")


def may_hold_bars(lines: bytes) -> bool:
    if b"\x1b" in lines and RESTORES.encode() in lines:
        lines = in_place(lines.decode()).encode()
    at = lines.find(b"%")
    while at > 0 and not lines[max(0, at - 2) : at].rstrip(b" ")[-1:].isdigit():
        at = lines.find(b"%", at + 1)
    if at > 0 or b"--:--" in lines or (SPINS_FIRST in lines and SPINS.search(lines) is not None):
        return True
    return b"\\" in lines and (b"\n\\ " in lines or b" \\\n" in lines)


def in_place(text: str) -> str:
    return ELSEWHERE.sub("", text) if RESTORES in text else text


def without_old_states(text: str, width: int) -> str:
    """`text`, of whole lines without the last one's end, in which each bar is left in its last state."""
    return "\n".join([_drawn(states, width) if len(states) > 1 else states[0] for states in _bars(text)])


def _bars(text: str) -> Iterator[list[str]]:
    """The lines of `text`, those together of which each is replaced by the next one."""
    lines = text.split("\n")
    shapes = text.encode("utf-8", "surrogatepass").translate(None, ALIKE).split(b"\n")
    states: list[str] = []
    start = 0
    for _, alike in groupby(shapes):
        end = start + len(list(alike))
        group = lines[start:end]
        if group == [""] and start > 0 and lines[start - 1].startswith(APT) and lines[start - 1].endswith(DONE):
            start = end
            continue  # it returns once more
        between = group == ["", ""] and start > 0 and end < len(lines)
        if between and lines[start - 1].endswith(DONE) and supersedes("", lines[end]):
            group = [""]  # apt returns once more before its next bar
        if _grow(group):
            states += group[:-1]
        else:
            for state, following in pairwise(group):
                states.append(state)
                if not _goes_on(states, following):
                    yield states
                    states = []
        states.append(group[-1])
        below = lines[end : end + 2]
        if not below or not _goes_on(states, below[0]) or _another_begins(states[-1], below):
            yield states
            states = []
        start = end


def _another_begins(last: str, below: list[str]) -> bool:
    """The bar stays, and what is empty below is the return before the first state of another one."""
    empty, *first = below
    return bool(last and not empty and first) and supersedes("", first[0]) and not supersedes(last, first[0])


def _goes_on(states: list[str], following: str) -> bool:
    """`following` replaces the last of them."""
    last = states[-1]
    if supersedes(last, following):
        return True
    if len(states) == 1:
        return False
    wiped = len(last) > FEW_BLANKS and not last.strip()
    return wiped or (last == "" and supersedes(states[-2], following))


def _grow(states: list[str]) -> bool:
    """All of several lines that look alike are states of one bar."""
    if len(states) < 3 or max(map(len, states)) > LONGEST or not states[0].strip() or RESTORES in states[0]:
        return False
    if states[1].startswith("\r"):
        return False
    if "%" not in states[0]:
        return all(map(_tells, states[:-1]))
    percents = [*map(float, FIRST_PERCENTS.findall("\n".join(states)))]
    return len(percents) == len(states) and percents == sorted(percents)


def _drawn(states: list[str], width: int) -> str:
    """The states drawn over each other, where that is a matter of strings; else so that a terminal does it."""
    together = "\r".join(states)
    moves = any(control in together for control in NO_BAR_HAS) or together.count("\r") >= len(states)
    fits = max(map(len, states)) < width and narrow(together)
    return overlaid(states) if fits and not moves else together


def supersedes(last: str, following: str) -> bool:
    """`following` replaces `last` on the screen."""
    if following.startswith("\r"):
        return False  # the line above had ended before that return
    last, following = in_place(last).rpartition("\r")[2], in_place(following).partition("\r")[0]
    if last.startswith(SPINNING) or following.startswith(SPINNING):
        last, following = ERASED_LINE.split(last)[-1], ERASED_LINE.split(following)[-1]
    if max(len(last), len(following)) > LONGEST or following.startswith(MORE):
        return False
    if not last.strip():
        # A bar begins at a line's start: the return before its first state left an empty piece.
        blanked = len(last) > FEW_BLANKS and bool(following.strip())
        first = following.startswith(SPINNING) or PERCENT.search(following) or TIMES.search(following)
        returned = last == "" and "\b" not in following  # one that steps back need not
        return blanked or (returned and bool(first))
    if not following.strip():
        return _tells(last) and WGET_DONE.search(last) is None
    if FFMPEG.match(last) and FFMPEG.match(following):
        return True
    if _turns(last, following) or _spins(last, following) or _begins(last, following) or _written_over(last, following):
        return True
    if not _tells(last):
        return False
    if _shape(last) == _shape(following):
        return _percent(last) <= _percent(following)
    return _done(last, following)


def _turns(last: str, following: str) -> bool:
    before = TURNS.get(last[0]) == following[0] and last[1:] == following[1:]
    return before or (TURNS.get(last[-1]) == following[-1] and last[:-1] == following[:-1])


def _spins(last: str, following: str) -> bool:
    """A spinner behind the words, which tell what it waits for; at first there was none."""
    at = next((at for at, character in enumerate(following) if character in SPINNERS), 0)
    words = following[:at].rstrip()
    return words.endswith("...") and last[:at].rstrip() == words and last[at : at + 1] in ("", *SPINNERS)


def _begins(last: str, following: str) -> bool:
    """Its first state had no number yet."""
    waits = last.rstrip().endswith("...") and following.startswith(last)
    return waits and PERCENT.fullmatch(following, len(last)) is not None


def _written_over(last: str, following: str) -> bool:
    """git shows what the other side says where its own bar stands."""
    return following.startswith(REMOTE) and GIT_BAR.fullmatch(last) is not None


def _tells(line: str) -> bool:
    return (
        "%" in line
        or "--:--" in line
        or "it/s" in line
        or (line.count(":") >= 6 and CLOCKS.search(line) is not None)
        or line.lstrip()[:1] in SPINNERS
    )


@lru_cache(maxsize=2)  # each line is compared with the one before it and with the one after it
def _shape(line: str) -> str:
    return CHANGES.sub("", line)


def _percent(line: str) -> float:
    found = PERCENT.search(line, max(0, line.find("%") - LONGEST_PERCENT)) if "%" in line else None
    return float(found.group(1)) if found else 0.0


def _done(last: str, following: str) -> bool:
    """The last state says so in words: the same beginning, another end; or all that was missing is there, and no time left."""
    if last.startswith(SPINNING):
        return following.startswith(tuple(TICKS))
    one, other = sorted((_shape(last), _shape(following)), key=len)
    if _percent(following) == 100 and "%" in one and other.startswith(one):
        return True
    found = PERCENT.search(last)
    return found is not None and found.start() >= SHORTEST_NAME and following.startswith(last[: found.start()].rstrip())
