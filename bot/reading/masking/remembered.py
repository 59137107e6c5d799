"""The secrets that a session has shown: masked wherever they stand again.

Nothing here is ever printed. A value is looked for as it is, percent-encoded, decoded, and in base64.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote, unquote

import re2

from bot.reading.masking.names import word_set

LARGEST: Final = 10_000  # values; a session that shows more forgets none of these and learns no others
_LONGEST: Final = 4096
_HEAD: Final = 12  # bytes of a value that the automaton looks for; the rest is compared
_SHORT_HEAD: Final = 5  # of many values: their automaton must fit its memory, else RE2 searches a hundred times slower
_MANY: Final = 512
# How many values the tiers hold. Those of the first are looked for one by one: each takes a tenth of an automaton's time.
_TIERS: Final = (10, 512, LARGEST + 1)
_SMALL: Final = 4096  # bytes that are searched for a few new values faster than an automaton is compiled
_COMMON: Final = word_set(
    "password passwd secret token admin administrator root postgres postgresql mysql redis mongodb mongo elastic rabbitmq guest "
    "default localhost production staging development developer test testing user username example changeme true false none "
    "null public private master main database server client docker ubuntu debian scalingo rails django login logout exit quit "
    "start stop status install update upgrade version string number email name value config settings"
)
_WORD_EDGE: Final = re.compile(rb"[A-Za-z0-9_]")


def is_common(value: str) -> bool:
    return value.lower() in _COMMON


def worth_remembering(value: str) -> bool:
    """True for a value that is no word of the language: one that stands elsewhere by design, not by chance."""
    if not 6 <= len(value) <= _LONGEST or is_common(value) or "\n" in value:
        return False
    if value.isdigit():
        return len(value) >= 8
    if value.isalpha() and (value.islower() or value.isupper() or value.istitle()):
        return len(value) >= 16
    return True


def forms_of(value: str) -> set[str]:
    """`value` as it may stand elsewhere: itself, percent-encoded, decoded, in base64."""
    forms = {value, quote(value, safe="", errors="surrogatepass"), unquote(value)}
    if len(value) >= 8:
        forms.add(base64.b64encode(value.encode("utf-8", "surrogatepass")).decode().rstrip("="))
    return {form for form in forms if len(form) >= 4 and "\n" not in form}


def decoded(value: str) -> str | None:
    """What `value` says in base64, where that is text: the login of `Authorization: Basic`."""
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


class _Tier:
    """Some values and the automaton that finds their heads, compiled when a block is worth it."""

    def __init__(self, values: Iterable[bytes]) -> None:
        self.values = list(values)
        self._heads: Any = None
        self._by_head: dict[bytes, list[bytes]] = {}
        self._lengths: list[int] = []  # of the heads, from the longest on

    def add(self, value: bytes) -> None:
        self.values.append(value)
        self._heads = None

    def where(self, data: bytes) -> Iterator[tuple[int, int]]:
        few = len(self.values) <= _TIERS[0] or (
            self._heads is None and len(data) < _SMALL and len(self.values) <= _MANY
        )
        if few:
            return self._one_by_one(data)
        return self._together(data)

    def _one_by_one(self, data: bytes) -> Iterator[tuple[int, int]]:
        for value in self.values:
            start = data.find(value)
            while start >= 0:
                end = start + len(value)
                if _stands_alone(data, start, end):
                    yield start, end
                start = data.find(value, end)

    def _together(self, data: bytes) -> Iterator[tuple[int, int]]:
        if self._heads is None:
            self._compile()
        position = 0
        while match := self._heads.search(data, position):
            start = match.start()
            end = self._longest_at(data, start)
            if end > 0:
                yield start, end
            position = start + 1

    def _compile(self) -> None:
        self._by_head = {}
        head = _HEAD if len(self.values) <= _MANY else _SHORT_HEAD
        for value in sorted(self.values, key=len, reverse=True):
            self._by_head.setdefault(value[:head], []).append(value)
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.never_capture = True
        options.max_mem = 16 << 20
        options.log_errors = False
        heads = sorted(self._by_head, key=len, reverse=True)
        self._lengths = sorted({len(head) for head in heads}, reverse=True)
        self._heads = re2.compile(b"|".join(map(re2.escape, heads)), options)
        # The module keeps what it compiled last: these patterns hold secrets, and the large ones much memory.
        re2.purge()

    def _longest_at(self, data: bytes, start: int) -> int:
        """The end of the longest value that stands at `start` with no word going on around it; -1 if none does."""
        for length in self._lengths:
            for value in self._by_head.get(data[start : start + length], ()):
                if data.startswith(value, start) and _stands_alone(data, start, start + len(value)):
                    return start + len(value)
        return -1


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    if end - start >= 16:
        return True
    before, first = data[start - 1 : start], data[start : start + 1]
    last, after = data[end - 1 : end], data[end : end + 1]
    inside_before = before and _WORD_EDGE.match(before) and _WORD_EDGE.match(first)
    inside_after = after and _WORD_EDGE.match(after) and _WORD_EDGE.match(last)
    return not inside_before and not inside_after


class Remembered:
    """A bounded set of secret values, searched for in blocks of bytes.

    The values lie in tiers, each many times as large as the one before, so that learning one compiles few others.
    """

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._tiers = [_Tier(()) for _ in _TIERS]

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, value: str) -> None:
        if value.encode("utf-8", "surrogatepass") in self._known:
            return
        for form in forms_of(value):
            data = form.encode("utf-8", "surrogatepass")
            if data not in self._known and len(self._known) < LARGEST:
                self._known.add(data)
                self._put(data)

    def _put(self, data: bytes) -> None:
        self._tiers[0].add(data)
        for number, capacity in enumerate(_TIERS):
            tier = self._tiers[number]
            if len(tier.values) <= capacity:
                break
            self._tiers[number + 1] = _Tier(self._tiers[number + 1].values + tier.values)
            self._tiers[number] = _Tier(())

    def where(self, data: bytes) -> list[tuple[int, int]]:
        """Where known values stand in `data`: byte offsets, in order, not overlapping within one tier."""
        # A tier that has just been emptied must not be asked: a pattern of nothing is found at every byte.
        return sorted(span for tier in self._tiers if tier.values for span in tier.where(data))
