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

from bot.reading.lazily import lazily
from bot.reading.masking import MASK, assignments, following, patterns
from bot.reading.masking.assignments import SCREEN_WIDTHS, Found
from bot.reading.masking.names import is_placeholder, looks_made, looks_random
from bot.reading.masking.remembered import Remembered, decoded, is_common, worth_remembering

_ASKING: Final = (b":", b"?", b">")  # what a hit of `following.ASKS` is
_MASK_BYTES: Final = MASK.encode()
_PASSWORD_HASH: Final = lazily(patterns.PASSWORD_HASH, re.ASCII)
_EXTENSION: Final = re.compile(r"\.[a-z]{1,5}[0-9]?\b")
_Finder = Callable[[str], Iterator[Found]]


class _Automaton:
    """All hints at once: `block` stops at the lines that deserve a closer look, `finders` says at what in a line."""

    def __init__(self) -> None:
        options = re2.Options()
        options.max_mem = 64 << 20
        options.log_errors = False  # a hostile log makes RE2 use its slower automaton: true all the same, and no error
        options.encoding = re2.Options.Encoding.LATIN1
        self._set = re2.Set.SearchSet(options)
        self._finders: list[_Finder | None] = []
        hints = []
        for hint, finder in _hints_and_finders():
            hints.append(b"(?m:" + _in_bytes(hint) + b")")
            self._set.Add(hints[-1])
            self._finders.append(finder)
        self._set.Compile()
        options.never_capture = True
        self.block: Any = re2.compile(b"|".join(hints), options)
        self._stem: Any = re2.compile(_in_bytes(following.STEM), options)

    def next_hint(self, data: bytes, position: int) -> int:
        """Where the next line starts that has a hint, from `position` on; the end where there is none."""
        while hit := self.block.search(data, position):
            start, end = hit.span()
            line = max(position, data.rfind(b"\n", 0, start) + 1)
            if data[start:end].strip() not in _ASKING or self._stem.search(data, line, start):
                return line
            position = end
        return len(data)

    def finders(self, line: str) -> list[_Finder | None]:
        """What to look for in `line`; None stands for `following`'s hints."""
        data = line.encode("utf-8", "surrogatepass")
        numbers = self._set.Match(data)
        if not numbers:
            # A set that runs out of memory finds nothing, without a word: then everything is looked for.
            return list(self._finders) if self.block.search(data) else []
        return [self._finders[number] for number in numbers]


def _in_bytes(pattern: str) -> bytes:
    """For RE2 that reads bytes: a letter outside ASCII is the sequence of its UTF-8 bytes."""
    if pattern.isascii():
        return pattern.encode()
    return "".join(c if c.isascii() else "".join(f"\\x{byte:02x}" for byte in c.encode()) for c in pattern).encode()


def _hints_and_finders() -> Iterator[tuple[str, _Finder | None]]:
    yield from assignments.FINDERS
    yield from following.FINDERS
    yield patterns.FORMAT_HINT, _known_formats
    yield patterns.HASH_HINT, _password_hashes
    for rule in patterns.RULES:
        yield patterns.hint_of(rule), _by_rule(rule)
    yield "|".join(following.HINTS), None


@cache
def _format_patterns() -> tuple[Any, re.Pattern[bytes]]:
    options = re2.Options()
    options.never_capture = True
    return re2.compile(patterns.FORMAT_BEGINS.encode(), options), re.compile(patterns.KNOWN_FORMAT.encode())


def _known_formats(line: str) -> Iterator[Found]:
    begins, whole = _format_patterns()
    data = line.encode("ascii", "replace")  # a byte for each character: no format has others
    at = 0
    while found := begins.search(data, at):
        start, _ = found.span()
        match = whole.match(data, start)
        at = match.end() if match else start + 1
        if match and _is_whole(line, start, at):
            yield Found(start, at, "known format")


def _password_hashes(line: str) -> Iterator[Found]:
    for match in _PASSWORD_HASH.finditer(line):
        if _is_whole(line, *match.span()):
            yield Found(*match.span(), "password hash")


def _is_whole(line: str, start: int, end: int) -> bool:
    """No word goes on into it, and it is no asset with its digest."""
    before = line[max(0, start - 1) : start]
    if before == "/" and _EXTENSION.match(line, end):
        return False
    return not before.isalnum() or line[max(0, start - 2) : start] in {"\\n", "\\r", "\\t"}


def _by_rule(rule: patterns.Rule) -> _Finder:
    def find(line: str) -> Iterator[Found]:
        for match in _compiled(rule.pattern).finditer(line):
            for group in range(1, match.re.groups + 1):
                start, end = match.span(group)
                if start < end and (rule.certain or _may_be_secret(rule, line[start:end])):
                    yield Found(start, end, rule.kind)

    return find


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _may_be_secret(rule: patterns.Rule, value: str) -> bool:
    if len(value) < 3 or is_placeholder(value):
        return False
    return rule.any_value or looks_random(value, 6) or looks_made(value)


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
        self._following: following.Following | None = None
        self._previous = b""

    @property
    def counts(self) -> Mapping[str, int]:
        return self._counts

    def learn(self, value: str) -> None:
        """Mask `value` wherever it stands from now on, as a whole word.

        Fewer than four characters, and the commonest words of a terminal, say nothing where they stand and would be
        masked everywhere: those are not looked for. A word of the language is: somebody's password it was.
        """
        for line in value.split("\n"):
            if len(line) >= 4 and not is_common(line):
                self._remembered.learn(line)

    def line(self, text: str) -> str:
        """One logical line without its end. A paste may hold several lines: each is read in turn."""
        held = self._following, self._previous
        self._following, self._previous = None, b""
        masked = self.feed(text + "\n")[:-1]
        self._following, self._previous = held
        return masked

    def feed(self, text: str) -> str:
        """Whole lines, each ending in a line feed, in the order in which they were shown: the same lines, masked."""
        data = text.encode("utf-8", "surrogatepass")
        masked = self.lines(data)
        return text if masked is data else masked.decode("utf-8", "surrogatepass")

    def lines(self, data: bytes) -> bytes:
        """The same in UTF-8; the very object that was given where nothing is masked."""
        pieces: list[bytes] = []
        position = 0
        done = 0  # up to here lines are in `pieces`; from here on none has a secret of its own
        while (start := self._next_to_read(data, position)) < len(data):
            if start > position:
                self._previous = data[data.rfind(b"\n", 0, start - 1) + 1 : start - 1]
            end = data.find(b"\n", start)
            end = len(data) if end < 0 else end
            line = data[start:end].decode("utf-8", "surrogatepass")
            if found := self._found(line):
                # What stands above a secret was shown before anybody knew it.
                pieces += [self._known_masked(data[done:start]), self._masked(line, found)]
                done = end
            position = end + 1
        if position < len(data):
            self._previous = data[data.rfind(b"\n", 0, len(data) - 1) + 1 : len(data) - 1]
        rest = self._known_masked(data[done:])
        return b"".join((*pieces, rest)) if pieces else rest

    def _next_to_read(self, data: bytes, position: int) -> int:
        """Where the next line starts that must be read closely; the end where there is none."""
        return position if self._following else _automaton().next_hint(data, position)

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

    def _found(self, line: str) -> list[Found]:
        """The secrets of the next line; what the line after it may hold is then expected."""
        line = line.rstrip("\r")
        whole = line + _quote_missing(line)
        finders = _automaton().finders(whole)
        found = list(self._following.found(line)) if self._following else []
        for finder in finders:
            found += finder(whole) if finder else ()
        if found:
            found = _without_overlaps(
                [f._replace(end=min(f.end, len(line))) for f in found if MASK not in line[f.start : f.end]]
            )
        if self._following or None in finders or found:
            previous = self._previous.decode("utf-8", "surrogatepass")
            hinted = None in finders
            self._following = following.expected_after(line, previous, found, self._following, hinted=hinted)
        self._previous = line.encode("utf-8", "surrogatepass")
        return found

    def _masked(self, line: str, found: list[Found]) -> bytes:
        for f in found:
            self._counts[f.kind] += 1
            self._remember(line[f.start : f.end])
        return self._known_masked(_replaced(line, found).encode("utf-8", "surrogatepass"))

    def _remember(self, text: str) -> None:
        value = text.strip()
        if worth_remembering(value):
            self._remembered.learn(value)
        login = decoded(value) if 8 <= len(value) <= 400 else None
        if login and ":" in login and worth_remembering(password := login.partition(":")[2]):
            self._remembered.learn(password)


def _quote_missing(line: str) -> str:
    """The quote that the next line closes, where the screen's right edge cut a quoted value."""
    if len(line) in SCREEN_WIDTHS:
        for quote in "\"'":
            if line.count(quote) % 2 and line.rfind(quote) > line.rfind(" ") - 1:
                return quote
    return ""


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
