"""Enters that wait for their lines to be left, the oldest first.

Somebody who types ahead presses Enter before the prompt is there, and a line recorder has several Enters in a piece: so whose
line it is that was left is told by what was typed before each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from bot.reading.entered import Entered
from bot.reading.likeness import shares
from bot.reading.prompts import Prompts
from bot.reading.verdicts import Judge

MOST_ENTERED = 64
MOST_PASSED = 200


class Waiting:
    def __init__(self, prompts: Prompts, judge: Judge) -> None:
        self._prompts = prompts
        self._judge = judge
        self._entered: deque[Entered] = deque(maxlen=MOST_ENTERED)
        self._passed = 0  # lines that were not the one that was typed ahead

    def __len__(self) -> int:
        return len(self._entered)

    def __iter__(self) -> Iterator[Entered]:
        return iter(self._entered)

    @property
    def first(self) -> Entered:
        return self._entered[0]

    def enter(self, entered: Entered) -> None:
        self._entered.append(entered)

    def pop(self) -> Entered:
        """The first has had its line."""
        self._passed = 0
        return self._entered.popleft()

    def give_up(self) -> None:
        """^C: whatever was typed ahead is gone too."""
        self._entered.clear()

    def in_full_screen(self) -> None:
        """A full-screen program shows: it got the keys of them all."""
        if not all(entered.full_screen for entered in self._entered):
            self._entered = deque((entered._replace(full_screen=True) for entered in self._entered), MOST_ENTERED)

    def cut(self, time: str) -> None:
        """The log ended at `time`: the last one is what its recorder still held, not an Enter."""
        if self._entered and self._entered[-1].time == time:
            self._entered.pop()

    def leaving(self, line: str, *, final: bool) -> list[Entered]:
        """Whose line this is, and all that were entered before: they have had theirs. Keys for a full-screen program have
        none; a line typed ahead waits for its own."""
        queue = self._entered
        for number, entered in enumerate(queue):
            if self._judge.matching(entered.typed, line) is not None or self._overtakes(number, line):
                leaving = [queue.popleft() for _ in range(number + 1)]
                return [entered for entered in leaving if not entered.full_screen or entered is leaving[-1]]
        while len(queue) > 1 and queue[0].full_screen:
            queue.popleft()
        if len(queue) > 1 and not line and not final:
            return []
        self._passed += 1
        if queue[0].ahead and not final and self._passed < MOST_PASSED and not self._recalled(queue[0], line):
            return []
        return [self.pop()]

    def _overtakes(self, number: int, line: str) -> bool:
        """Some of what was typed for this one stands at a prompt, and of the first one, known as it is, nothing does: that
        was typed blind."""
        first, found = self._entered[0], self._prompts.find(line)
        if number == 0 or found is None or not first.typed.known or first.prompt is not None or first.full_screen:
            return False
        text = found.behind(line)
        return shares(self._entered[number].typed.keys, text) and not shares(first.typed.keys, text)

    def _recalled(self, entered: Entered, line: str) -> bool:
        """Whatever was recalled stands at a prompt."""
        found = None if entered.typed.known else self._prompts.learnt(line)
        return found is not None and bool(found.behind(line).strip())
