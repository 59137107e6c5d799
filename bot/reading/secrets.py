"""What must not be shown: the one masking step that every outlet passes through.

Blocks of lines are scanned once by one RE2 automaton of all hints. Only the lines that it stops at are read closely,
and those that stand where a secret may follow: after a PEM header, below a table's header, after a question, after a
line that ran to the terminal's right edge inside a secret.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import re2

from bot.reading.assignments import (
    ADDRESS_HINTS,
    ASSIGNMENT_HINTS,
    COOKIE_HINT,
    FLAG_HINT,
    HEADER_HINT,
    MARKUP_HINTS,
    Found,
    addresses,
    assignments,
    cookies,
    flags,
    headers,
    markup,
)
from bot.reading.following import HINTS as FOLLOWING_HINTS
from bot.reading.following import Following, cut_addresses, expected_after, private_key_on_one_line
from bot.reading.names import is_placeholder, looks_made, looks_random
from bot.reading.patterns import RULES, Rule
from bot.reading.remembered import Remembered, decoded, worth_remembering

MASK: Final = "••••••"

_MASK_BYTES: Final = MASK.encode()
_Finder = Callable[[str], Iterator[Found]]


def _of_rule(rule: Rule) -> _Finder:
    def find(line: str) -> Iterator[Found]:
        for match in re.compile(rule.pattern).finditer(line):
            for group in range(1, (match.re.groups or 0) + 1):
                start, end = match.span(group)
                value = line[max(start, 0) : max(end, 0)]
                if value and (rule.certain or _may_be_secret(rule, value)):
                    yield Found(start, end, rule.kind)

    return find


def _may_be_secret(rule: Rule, value: str) -> bool:
    if is_placeholder(value):
        return False
    return rule.any_value or looks_random(value, 6) or looks_made(value)


class _Automaton:
    """All hints at once: which lines of a block deserve a closer look, and which finders a line needs."""

    def __init__(self) -> None:
        options = re2.Options()
        options.max_mem = 48 << 20
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        self._finders: list[_Finder | None] = []
        self._set = re2.Set.SearchSet(options)
        hints = []
        for hint, finder in _hints_and_finders():
            pattern = b"(?m:" + _in_bytes(hint) + b")"
            hints.append(pattern)
            self._set.Add(pattern)
            self._finders.append(finder)
        self._set.Compile()
        options.never_capture = True
        self.block: Any = re2.compile(b"|".join(hints), options)

    def finders(self, line: bytes) -> list[_Finder]:
        found = (self._finders[number] for number in sorted(self._set.Match(line) or ()))
        return list(dict.fromkeys(finder for finder in found if finder is not None))


def _in_bytes(hint: str) -> bytes:
    """RE2 reads bytes here: a letter outside ASCII is the sequence of its UTF-8 bytes."""
    spelled = re.sub(r"\\x\{([0-9A-Fa-f]+)\}", lambda match: chr(int(match[1], 16)), hint)
    return "".join(c if ord(c) < 128 else "".join(f"\\x{byte:02x}" for byte in c.encode()) for c in spelled).encode()


def _hints_and_finders() -> Iterator[tuple[str, _Finder | None]]:
    for hint in ASSIGNMENT_HINTS:
        yield hint, assignments
    yield FLAG_HINT, flags
    for hint in ADDRESS_HINTS:
        yield hint, addresses
    yield COOKIE_HINT, cookies
    yield HEADER_HINT, headers
    for hint in MARKUP_HINTS:
        yield hint, markup
    for rule in RULES:
        yield rule.hint, _of_rule(rule)
    yield "PRIVATE KEY", private_key_on_one_line
    yield r"(?m:://[^\s/@:]*:[^\s/@]+$)", cut_addresses
    for hint in FOLLOWING_HINTS:
        yield hint, None


@cache
def _automaton() -> _Automaton:
    return _Automaton()


class Masker:
    """Masks the secrets of one session, line after line, and remembers them.

    `counts` says how many were masked, by class; a value never leaves this object.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._remembered = Remembered()
        self._following: Following | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        return self._counts

    def learn(self, value: str) -> None:
        """Mask `value` wherever it stands from now on, as a whole word.

        Fewer than four characters, and the commonest words, say nothing where they stand and would be masked
        everywhere: those are not looked for.
        """
        for line in value.split("\n"):
            if len(line) >= 4 and (worth_remembering(line) or _is_rare(line)):
                self._remembered.learn(line)

    def line(self, text: str) -> str:
        """One logical line without its end. A paste may hold several lines: each is read in turn."""
        held, self._following = self._following, None
        masked = "\n".join(self._masked(part) for part in text.split("\n"))
        self._following = held
        return masked

    def feed(self, text: str) -> str:
        """Whole lines, each ending in a line feed, in the order in which they were shown: the same lines, masked."""
        data = text.encode("utf-8", "surrogatepass")
        pieces: list[bytes] = []
        position = 0
        block = _automaton().block
        while position < len(data):
            hit = None if self._following else block.search(data, position)
            start = (
                position
                if self._following
                else len(data)
                if hit is None
                else data.rfind(b"\n", position, hit.start()) + 1
            )
            start = max(start, position)
            if start > position:
                pieces.append(self._known_masked(data[position:start]))
            if start < len(data):
                end = data.find(b"\n", start)
                end = len(data) if end < 0 else end
                line = data[start:end].decode("utf-8", "surrogatepass")
                pieces.append(self._masked(line).encode("utf-8", "surrogatepass") + data[end : end + 1])
                start = end + 1
            position = start
        return b"".join(pieces).decode("utf-8", "surrogatepass")

    def _known_masked(self, data: bytes) -> bytes:
        spans = self._remembered.where(data)
        if not spans:
            return data
        pieces, position = [], 0
        for start, end in spans:
            if end > position:
                if start >= position:
                    pieces += [data[position:start], _MASK_BYTES]
                    self._counts["seen again"] += 1
                position = end
        return b"".join((*pieces, data[position:]))

    def _masked(self, line: str) -> str:
        if line.endswith("\r"):
            return self._masked(line[:-1]) + "\r"
        data = line.encode("utf-8", "surrogatepass")
        found: list[Found] = []
        if self._following:
            found += self._following.found(line)
        for finder in _automaton().finders(data):
            found += finder(line)
        found = [f for f in found if MASK not in line[f.start : f.end]]
        found = _without_overlaps(found)
        self._following = expected_after(line, found, self._following)
        for f in found:
            self._counts[f.kind] += 1
            self._remember(line[f.start : f.end])
        masked = _replaced(line, found)
        if len(self._remembered):
            return self._known_masked(masked.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
        return masked

    def _remember(self, value: str) -> None:
        if worth_remembering(value):
            self._remembered.learn(value)
        login = decoded(value) if 8 <= len(value) <= 400 else None
        if login and ":" in login and worth_remembering(password := login.partition(":")[2]):
            self._remembered.learn(password)


def _is_rare(line: str) -> bool:
    return len(line) < 6 or not line.isalpha()


def _without_overlaps(found: list[Found]) -> list[Found]:
    """The same text covered by spans that do not overlap, in order."""
    merged: list[Found] = []
    for f in sorted(found):
        if merged and f.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Found(last.start, max(last.end, f.end), last.kind)
        elif f.end > f.start:
            merged.append(f)
    return merged


def _replaced(line: str, found: Iterable[Found]) -> str:
    pieces, position = [], 0
    for f in found:
        pieces += [line[position : f.start], MASK]
        position = f.end
    return "".join((*pieces, line[position:]))


def mask_lines(lines: Iterable[str]) -> Iterator[str]:
    """Each line masked, in order, one for one; ends of lines are kept as they are."""
    masker = Masker()
    for line in lines:
        text = line.rstrip("\n")
        yield masker.feed(text + "\n")[:-1] + line[len(text) :]
