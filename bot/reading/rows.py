"""Where on the screen a line stands that was entered: at which prompt, and in how many rows.

Most stand in the cursor's row, behind a prompt. Others began above it: a paste, a block that was recalled, a line that the
editor itself breaks. An editor of whole blocks draws a prompt before each row, as python does:

    >>> def double(n):        the prompt `>>> `, behind it
    ...     return 2 * n      `def double(n):\\n    return 2 * n`
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.reading.echo import Echo
from bot.reading.entered import Entered
from bot.reading.keys import Typed
from bot.reading.prompts import Prompts
from bot.reading.screen import CONTINUES, width_of
from bot.reading.terminal import Terminal

# A prompt at the right edge; typed text hardly holds so many blanks.
RIGHT_PROMPT = re.compile(r"(?<=\S) {4,}\S+(?: \S+)*\Z")
# What is left of readline's search where the line was redrawn over it in part.
SEARCH_LEFT = re.compile(r"rch\)`|i-search\)|\((?:failed )?rev")
GOES_ON = re.compile(r" {1,9}⋮ ")  # ipython's mark before a row that continues the one above
MAY_GO_ON = re.compile(r" {1,9}(?:⋮|\.{3,9}:) ")  # the same before ipython 9, which is how its other rows begin too
LONGEST_BLOCK = 40  # lines of one command
# Editors of whole blocks, which show their continuation prompt before every line of it.
REPEAT_PROMPTS = ("python", "ipython", "irb", "node")


class Stood(NamedTuple):
    """A prompt, and what stands behind it."""

    prompt: str
    text: str


class Rows:
    def __init__(self, terminal: Terminal, prompts: Prompts, echo: Echo) -> None:
        self._terminal = terminal
        self._prompts = prompts
        self._echo = echo
        self.left_at = -1  # lines above the one that was left last

    # --- at which prompt

    def at_prompt(self, entered: Entered, line: str) -> Stood | None:
        """The prompt that `line`, the cursor's, begins with, and what is behind it."""
        stood = self._behind(self._without_indent(entered.prompt or ""), line)
        if stood is None:
            return None
        prompt, text = stood
        text = self._without_right(entered, line, text)
        following = self._prompts.learnt(text + " ")
        if following and not following.behind(text).strip():
            text = ""  # the next prompt, on the line of an answer that moved nothing
        stood = Stood(prompt, text)
        if self.repeated(entered.prompt or "") and (prompt != entered.prompt or not text.strip()):
            return self.of_block(entered, line) or stood
        return stood

    def _behind(self, prompt: str, line: str) -> Stood | None:
        if prompt.strip() and line.startswith(prompt.rstrip()):
            return Stood(prompt, line[len(prompt) :])
        known = self._prompts.learnt(line + " ")
        return Stood(known.text, known.behind(line)) if known else None

    def _without_right(self, entered: Entered, line: str, text: str) -> str:
        """`text`, the end of `line`, without a prompt at the right edge."""
        if entered.right and text.endswith(entered.right):
            return text.removesuffix(entered.right).rstrip()
        return self.without_right_prompt(entered.typed, line, text)

    def without_right_prompt(self, typed: Typed, line: str, text: str) -> str:
        """The same where the log does not tell that one stood there."""
        reaches_edge = width_of(line) >= self._terminal.width - 2
        if reaches_edge and "    " not in typed.edited and not SEARCH_LEFT.search(text):
            return RIGHT_PROMPT.sub("", text)
        return text

    def guessed(self, line: str) -> Stood | None:
        """The same for what only looks like a prompt."""
        found = self._prompts.guess(line)
        return Stood(found.text, found.behind(line)) if found else None

    def _without_indent(self, prompt: str) -> str:
        known, guess = self._prompts.learnt(prompt), self._prompts.guess(prompt)
        found = known or guess
        if found is None or (guess and guess.text == prompt):
            return prompt
        return found.text if known or found.behind(prompt).isspace() else prompt

    def repeated(self, line: str) -> str:
        """The prompt of an editor of whole blocks that `line` begins with."""
        for found in (self._prompts.guess(line), self._prompts.learnt(line)):
            if found and found.program in REPEAT_PROMPTS:
                return found.text
        return ""

    # --- in several rows

    def of_block(self, entered: Entered, line: str) -> Stood | None:
        """What was entered in several rows, of which `line` is the last, or stands below."""
        prompt, block = self._drawn_last(entered, line) if entered.prompt is None else self._typed_at(entered, line)
        if not block:
            return None
        if self.repeated(prompt) and not block[0].startswith(prompt.rstrip()):
            prompt = self.repeated(block[0])  # irb's tells how deep the block is, and changes while it is typed
        if not prompt.strip() or not block[0].startswith(prompt.rstrip()):
            return None
        rest = [row[len(self.repeated(row)) :] for row in block[1:]]
        if all(row.startswith(" " * len(prompt)) for row in rest):
            rest = [row.lstrip() for row in rest]  # fish draws it so; the line has no such blanks
        first = block[0][len(prompt) :]
        if self._prompts.in_shell:  # no other program has one
            first = self._without_right(entered, block[0], first)
        text = "\n".join([first.rstrip(), *rest])
        keys = entered.typed.edited if entered.typed.known else ""
        # irb moves a line that was typed with an indent of its own to where it belongs, but only later.
        return Stood(prompt, keys if keys[:1] == " " and keys.strip() == text.strip() else text)

    def _typed_at(self, entered: Entered, line: str) -> tuple[str, list[str]]:
        """It begins where the prompt stood at its first key."""
        prompt = self._without_indent(entered.prompt or "")
        rows = self._lines_above(self._terminal.lines - entered.lines)
        block = _from_last(prompt, rows)
        if self.repeated(prompt):
            block = max(block, self._last_repeated(rows), key=len)  # where a block ends in the prompt that it began at
        return prompt, [*block, line] if block and not self._is_answer(line, prompt) else block

    def _drawn_last(self, entered: Entered, line: str) -> tuple[str, list[str]]:
        """The log does not tell where that was: it begins at the last prompt that has something behind it."""
        if entered.typed.known:
            return "", []
        rows = self.since_left()
        prompt, block = self.from_last_prompt(rows)
        if self.repeated(prompt):
            block = self._last_repeated([*rows, line])
            return prompt, block if len(block) > 1 else []
        indented = any(row.startswith(" " * len(prompt)) for row in (*block, line))
        return prompt, [] if indented else [*block, line]

    def from_last_prompt(self, rows: list[str]) -> tuple[str, list[str]]:
        """The last known prompt that has something behind it, and the rows from there on."""
        for number in range(len(rows) - 1, -1, -1):
            found = self._prompts.learnt(rows[number])
            if found is not None and found.behind(rows[number]).strip():
                return found.text, rows[number:]
        return "", []

    def _last_repeated(self, rows: list[str]) -> list[str]:
        """The last rows that an editor of whole blocks drew, each with a prompt before its text."""
        block: list[str] = []
        for row in reversed(rows):
            if row[len(self.repeated(row)) :].strip() and self.repeated(row):
                block.insert(0, row)
            elif block:
                break
        return block

    def _is_answer(self, line: str, prompt: str) -> bool:
        """`line` stands below what was entered at `prompt`, and is no part of it."""
        if self.repeated(prompt):
            found = self.repeated(line + " ")
            return not (found and line[len(found) :].strip())
        return bool(self._echo.after.strip()) and line.endswith(self._echo.after.strip())

    def without_padding(self, stood: Stood, typed: Typed) -> Stood:
        """A block that was recalled over a longer line: readline wipes what stood there with blanks, which wrap."""
        width, line = self._terminal.width, stood.prompt + stood.text
        if typed.known or len(line) <= width or not line.isascii():
            return stood
        rows = [line[at : at + width] for at in range(0, len(line), width)]
        padded = "".join(row.rstrip() + "\n" if row.endswith("  ") else row for row in rows)
        return stood._replace(text=padded[len(stood.prompt) :])

    # --- what is above the cursor's row

    def since_left(self) -> list[str]:
        """The lines below the one that was left last, without the cursor's."""
        return self._lines_above(self._terminal.lines - self.left_at - 1)

    def count(self, entered: Entered) -> int:
        """How many lines above the cursor's may be of what was entered, as far as they are looked at."""
        since = self.left_at + 1 if entered.prompt is None else entered.lines
        return min(self._terminal.lines - since, LONGEST_BLOCK)

    def whole(self, line: str) -> str:
        """The cursor's line with the rows above that go on in it."""
        if not any(self._breaks(row, line) for row in self._above(min(self._terminal.lines, 1))):
            return line
        return self._unbroken([*self._above(min(self._terminal.lines, LONGEST_BLOCK)), line])[-1]

    def begins(self, row: str) -> bool:
        """An editor drew it with something before what was typed, so it does not just go on from the row above."""
        prompt = self._prompts.learnt(row) if self._prompts or row[:1].isspace() else self._prompts.guess(row)
        return bool(self.repeated(row) or prompt or GOES_ON.match(row))

    def _lines_above(self, count: int) -> list[str]:
        return self._unbroken([*self._above(count), self._terminal.line()[0]])[:-1]

    def _above(self, count: int) -> list[str]:
        # Longer than any command: what stands there is output, and none of it is looked at.
        return self._terminal.above(count) if 0 < count <= LONGEST_BLOCK else []

    def _unbroken(self, rows: list[str]) -> list[str]:
        """Rows that the editor broke and marked so, put together."""
        lines: list[str] = []
        for number, row in enumerate(rows):
            if number and self._breaks(rows[number - 1], row):
                missing = self._terminal.width - width_of(rows[number - 1])
                lines[-1] = lines[-1].removesuffix(CONTINUES) + " " * missing + MAY_GO_ON.sub("", row)
            else:
                lines.append(row)
        return lines

    def _breaks(self, row: str, following: str) -> bool:
        """python marks the end of a row that goes on in the next one, ipython the beginning of that."""
        full = width_of(row) >= self._terminal.width - 1
        marked = row.endswith(CONTINUES) or MAY_GO_ON.match(following) is not None
        return (full and marked) or GOES_ON.match(following) is not None


def _from_last(prompt: str, block: list[str]) -> list[str]:
    """From where the prompt was drawn last: below a list of candidates it is drawn anew."""
    begins = [number for number, row in enumerate(block) if prompt.strip() and row.startswith(prompt.rstrip())]
    return block[begins[-1] :] if begins else block
