"""Text whose lines end in `\\r\\n` of their own, to which the terminal adds a return: headers of HTTP, CSV, files from Windows.
A line recorder has an empty piece behind each of them, which stands for no line. So end some lines of ssh and screen, each by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

EMPTY = "\n"
# Where only some of what a command shows is parted by empty lines, or few of its lines are, these are paragraphs.
FEWEST = 3
PLAIN = re.compile(r"(?:[^\x00-\x1f\x7f]|\t|\x1b\[[0-9;]*m)+\n")
# What ssh and screen say, one by one.
ALONE = re.compile(
    r"(?:Load key \".*\": .*|Permission denied(?: \([\w,-]+\)\.|, please try again\.)|Host key verification failed\."
    r"|Warning: Permanently added .* to the list of known hosts\.|Connection to \S+ closed(?: by remote host)?\."
    r"|Connection closed by .* port [0-9]+|Last login: .* from \S+|There (?:is a|are) screens? on:|[0-9]+ Sockets? in \S+\.)\n"
)
HEADERS = re.compile(r"(?:< )?(?:\x1b\[[0-9;]*m)?HTTP/[0-9.]+ [0-9]{3}")


class Doubled:
    def __init__(self, is_typed: Callable[[str], bool]) -> None:
        """`is_typed`: a piece begins with a prompt, so what a command shows has ended before it."""
        self._is_typed = is_typed
        self._owed = False  # the empty piece of the last line is still to come

    def among(self, contents: list[str], *, typed: bool) -> set[int]:
        """Which of the pieces are empty because such a line ended before them; none is of a line that is `typed`."""
        owed, self._owed = self._owed, False
        if typed:
            return set()
        found = {0} if owed and contents[0] == EMPTY else set[int]()
        begin = len(found)
        after = begin  # what was looked at
        # Most texts have an empty line here and there, and cost no more than this.
        empty = [number for number, piece in enumerate(contents) if piece == EMPTY] if EMPTY in contents else []
        found.update(number for number in empty if number and ALONE.fullmatch(contents[number - 1]))
        self._owed = ALONE.fullmatch(contents[-1]) is not None
        for first, second in pairwise(empty):
            if second - first != 2 or first <= after:
                continue
            at = first - 1
            after = end = self._end(contents, at)
            lines = (end - at) // 2 - contents[at:end:2].count(EMPTY)
            last = end >= len(contents) - 1
            ends = last or self._is_typed(contents[end])
            whole = lines >= FEWEST and ends and (at <= begin or self._is_typed(contents[at - 1]))
            if whole or (lines and HEADERS.match(contents[at])):
                found.update(range(at + 1, end, 2))
                self._owed |= last and end < len(contents) and PLAIN.fullmatch(contents[end]) is not None
        return found

    def _end(self, contents: list[str], at: int) -> int:
        """Of the lines that begin at `at`, each with an empty piece behind it."""
        while contents[at + 1 : at + 2] == [EMPTY] and (contents[at] == EMPTY or PLAIN.fullmatch(contents[at])):
            if self._is_typed(contents[at]):
                break
            at += 2
        return at
