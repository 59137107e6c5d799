"""Which lines programs received: the keys say when Enter was pressed and what was meant, the screen says what became of it.

A command is judged when its line is left, at the first line feed after its Enter: only then has everything been echoed
that will be. What the screen never showed is never told: an answer typed blind is masked, here and wherever it turns up.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from bot.reading.echo import Echo
from bot.reading.entered import NOTHING, Entered, Verdict
from bot.reading.keys import COMMENT, WILD, Keyboard, Typed, pressed
from bot.reading.likeness import NO_BLANKS, begins_over_its_prompt
from bot.reading.prompts import QUESTION, SHELL, UNKNOWN, Prompts, program_name, started_by
from bot.reading.rows import Rows
from bot.reading.sequences import rows_risen
from bot.reading.terminal import Terminal
from bot.reading.verdicts import Judge

MASKED = "••••••"
# A line feed, or the end of bracketed paste: some editors leave their line with a movement of the cursor.
LINE_LEFT = re.compile(r"\n|\x1b\[\?2004l")
# prompt_toolkit draws all that changed at once: it may go down for a menu, and come back.
FRAME = re.compile(r"\x1b\[\?7l(?:[^\x1b]|\x1b(?!\[\?7[lh]))*+\x1b\[\?7h")
# What readline's search has found.
SEARCHED = re.compile(r"i-search\)`[^']*': (.*)", re.DOTALL)
MOST_ENTERED = 64  # Enters ahead of their lines
MOST_PASSED = 200
# A control character that was quoted into a line, as editors show it.
CARETS = {code: f"^{chr(code ^ 64)}" for code in (*range(32), 127) if chr(code) not in "\n\t"} | dict.fromkeys(
    range(128, 160)
)
CONTINUATION = ">"  # bash's prompt for the rest of a command
GIVEN_UP, INTERRUPT = "^C", "\x03"


@dataclass(frozen=True, slots=True)
class Command:
    """A line that a program received; `text` is masked, `sure` is False where keys and screen disagree."""

    time: str
    text: str
    program: str
    masked: bool
    sure: bool = True


class Masks(Protocol):
    def line(self, text: str) -> str: ...
    def learn(self, value: str) -> None: ...


class Commands:
    def __init__(self, terminal: Terminal, masks: Masks, prompts: Prompts, accept: Callable[[Command], None]) -> None:
        self._terminal = terminal
        self._masks = masks
        self._accept = accept
        self._prompts = prompts
        self.echo = Echo(terminal, prompts)
        self._rows = Rows(terminal, prompts, self.echo)
        self._judge = Judge(prompts, self._rows, self.echo)
        self._keyboard = Keyboard()
        self._entered: deque[Entered] = deque()
        self._prompt: str | None = None  # of the line being typed
        self._lines = 0  # above it
        self._right = ""  # what stood behind the cursor then
        self._lowest = False  # and nothing below
        self._typing = False
        self.judged = 0  # Enters
        self._passed = 0  # lines that were not the one that was typed ahead
        self._started = ""
        self._answered = True  # something was shown after the last Enter
        self.last = ""
        self._stood = ""  # on the line that was left last

    @property
    def waiting(self) -> bool:
        """An Enter was pressed, and its line has not been left."""
        return bool(self._entered)

    @property
    def started(self) -> str:
        """The name of the program that the last command started, as far as it has one."""
        return program_name(self.last) or "program"

    @property
    def program(self) -> str:
        """Whose prompt comes next, as far as that is known: that of what was started, or the last one's."""
        return self._started or self._prompts.program

    @property
    def answered(self) -> bool:
        """An Enter was pressed, something was shown since, and its line has not been left."""
        return bool(self._entered) and self._answered

    @property
    def typed_surely(self) -> str | None:
        """What the keys say of the only Enter whose line has not been left, where they say all."""
        if len(self._entered) != 1 or not self._answered:
            return None
        entered, typed = self._entered[0], self._entered[0].typed
        sure = typed.known and entered.prompt is None and not entered.full_screen
        return typed.edited if sure and typed.edited.strip() and typed.edited.isprintable() else None

    def left_as_typed(self, prompt: str) -> None:
        """The line of that Enter was left: it is `prompt` and what was typed at it."""
        entered = self._entered.popleft()
        self._terminal.feed("\n")
        self.echo.forget()
        self._passed = 0
        self._told(entered, Verdict(entered.typed.edited, prompt))
        self._rows.left_at = self._terminal.lines - 1

    def complete(self, line: str) -> bool:
        """The line of the last Enter stands there as it was typed."""
        typed = self._entered[0].typed
        if not typed.edited and typed.known:
            found = self._prompts.known(line + " ")
            return found is not None and found[0].rstrip() == line
        return typed.known and self._judge.matching(typed, line) is not None

    def expects_more(self, line: str, following: str) -> bool:
        """The line of the last Enter goes on, or is drawn again, in what follows: so it has not been left."""
        typed = self._entered[0].typed
        if not typed.known and "i-search)" in line:
            return self._prompts.find(following + " ") is not None
        found = self._prompts.find(line + " ")
        shown = (line[len(found[0]) :] if found else line).translate(NO_BLANKS)
        wanted, rest = typed.edited.translate(NO_BLANKS), following.translate(NO_BLANKS)
        return bool(shown and rest) and shown[-8:] + rest[:8] in wanted

    # --- what happens

    def typed(self, text: str, time: str, *, live: bool) -> None:
        """`live`: the log has the keys one by one, so the screen now is what the person saw when pressing them."""
        if "\x1b" in text:
            self.echo.measure.asked(text)
        text = pressed(text)
        if not text:
            return
        if self._terminal.alternate:
            self._for_full_screen()
        if not live and self._answered and self._begins_with_what_stands_there(text):
            self._none_of_it_shown()
        while self._entered and (self.echo.printed if live else self._answered):
            if live and self._still_typed():
                self._entered.popleft()
                self._keyboard.editor.lose_track()
                continue
            self._line_left(final=True)
            if live and self._entered and self._entered[0].ahead:
                break
        if live:
            self._look()
            self._look_at_search()
            if self._full_screen():
                self._keyboard.forget()
                self._typing = False
                return
        self._answered = False
        self.echo.after = ""
        for entered in self._keyboard.feed(text, live=live):
            if entered is None:
                self._entered.clear()
            elif entered.operated and not live:
                self._operated(entered, time)
            else:
                full = self._full_screen()
                self._entered.append(
                    Entered(
                        time,
                        entered,
                        self._prompt if live else None,
                        self._lines,
                        self._right,
                        full,
                        bool(self._entered),
                        self._lowest,
                    )
                )
            self.echo.entered()
            self._typing, self._prompt, self._right, self._lowest = False, None, "", False
        while len(self._entered) > MOST_ENTERED:
            self._entered.popleft()

    def _begins_with_what_stands_there(self, text: str) -> bool:
        """The line broke while it was typed, so a line recorder has its begin before its Enter: it is of no earlier one."""
        if not self._entered:
            return False
        meant = self.echo.as_meant(self._entered[0].prompt)
        line = (meant.line if meant else self._terminal.line()[0]).rstrip()
        found = self._prompts.find(line)
        begun = line[len(found[0]) :] if found else ""
        at = text.rpartition(INTERRUPT)[2].find(begun) if begun else -1
        # A full-screen program gets its keys before the line does.
        if at < 0 or (at > 0 and not all(entered.full_screen for entered in self._entered)):
            return False
        return all(self._judge.matching(entered.typed, line) is None for entered in self._entered)

    def _none_of_it_shown(self) -> None:
        """Nor of what was entered before, but for what stands above."""
        self._block_left()
        entered = [self._entered.popleft() for _ in range(len(self._entered))]
        for each in entered:
            if not each.full_screen:
                self._tell(each, self._judge.unseen(each.typed))

    def _operated(self, typed: Typed, time: str) -> None:
        """A line recorder tells of ^O, or Alt-#, only with the Enter after it: the line was left long before."""
        begins = COMMENT if typed.edited.startswith(COMMENT) else ""
        # What ended the cursor's line is not known before the next piece.
        rows = [*self._rows.since_left(), self._terminal.line()[0]] if begins else self._rows.since_left()
        for number, row in enumerate(rows, self._rows.left_at + 1):
            found = self._prompts.find(row)
            text = row[len(found[0]) :] if found else ""
            if found and text.strip() and text.startswith(begins):
                self._told(Entered(time, typed, None), Verdict(text, found[0]))
                self._rows.left_at = number
                return

    def _look(self) -> None:
        """What stands before and behind the cursor at a line's first key; keys that a pager got are no first keys."""
        line, place = self._terminal.line()
        before = line[:place]
        if self._typing and self._taken_singly(before):
            self._keyboard.forget()
        elif self._typing:
            # Only at a prompt that is no known one can another follow; a tangled line may look like one.
            known = self._prompts.known(self._prompt or "")
            found = (self._prompts.known if known and known[0] == self._prompt else self._prompts.find)(before)
            if before == self._prompt or found is None or found[0] != before:
                return
            if self._typed_last(before):
                return
        right = "" if self._keyboard.editor.line.text else line[place:].strip()
        self._prompt, self._right, self._typing = before, right, True
        self._lines = self._terminal.lines
        self._lowest = not self._terminal.below()
        if not self._entered:
            self.echo.printed = ""

    def _typed_last(self, before: str) -> bool:
        """What stands before the cursor is a row of the line that is being typed, which looks like a prompt."""
        line = self._keyboard.editor.line
        typed = line.text[: line.point].rstrip()
        last = typed[-3:]
        return "\n" in typed or typed.endswith(before.strip()) or (len(last) > 2 and before.rstrip().endswith(last))

    def _taken_singly(self, before: str) -> bool:
        """Whoever asked went on without an Enter: the keys until now were answers by themselves."""
        asked = self._prompt or ""
        if self._terminal.lines <= self._lines or self._prompts.find(asked) is not None:
            return False
        return bool(QUESTION.search(asked) or (asked.strip() and before != asked and QUESTION.search(before)))

    def _look_at_search(self) -> None:
        editor = self._keyboard.editor
        if editor.searching and (found := SEARCHED.search(self._terminal.line()[0])):
            editor.seen(found[1].rstrip())

    def _still_typed(self) -> bool:
        """The Enter was for a search, or a menu, of the line editor: its line is being typed where it was."""
        entered = self._entered[0]
        known = self._prompts.known(entered.prompt or "")
        return (
            not entered.ahead
            and known is not None
            and known[0] == entered.prompt
            and self._terminal.lines == entered.lines
            and self._terminal.line()[0].startswith(entered.prompt)
        )

    def _full_screen(self) -> bool:
        """A full-screen program has the keyboard; one that draws on the normal screen shows no prompt."""
        if self._terminal.keypad and not (self._terminal.alternate or self.echo.edited):
            return self._prompts.find(self._prompt or self._terminal.line()[0]) is None
        return self._terminal.alternate

    def shown(self, text: str) -> None:
        start = 0
        self._answered = True
        while self._entered:
            left = _next_end(text, start)
            if left is None:
                break
            self._show(text[start : left.start()])
            if self._terminal.alternate:
                self._for_full_screen()
            elif left.group() != "\n":
                if self._terminal.line()[0].strip():
                    self._line_left()
            elif not self._goes_down():
                self._line_left()
            self._show(left.group())
            start = left.end()
        if start < len(text):
            self._show(text[start:] if start else text)

    def passed(self, lines: bytes) -> None:
        """The same for many lines at once, in UTF-8, while nobody types and no Enter waits for its line."""
        if self.echo.pass_lines(lines):
            self._answered = True
        else:
            self.shown(lines.decode())

    def _show(self, text: str, *, typing: bool = False) -> None:
        self.echo.show(text, self._prompt, measuring=self._typing or bool(self._entered), typing=typing)

    def _goes_down(self) -> bool:
        """A line feed only goes down the rows of the line that was entered."""
        entered = self._entered[0]
        if meant := self.echo.as_meant(entered.prompt):
            return meant.below
        return entered.lowest and self._terminal.below()

    def _for_full_screen(self) -> None:
        self._entered = deque(replace(entered, full_screen=True) for entered in self._entered)

    def ended(self, ending: str, *, typing: bool, within: bool) -> None:
        """The end of a line that was shown before: it leaves the line of an Enter only if that Enter came before it, and
        if it is not `within` what is being edited."""
        if self._answered and not within:
            came, judged = self.echo.came, self.judged
            self.shown(ending)
            if typing and self.echo.measure.counts_colours and judged == self.judged:
                self.echo.goes_on(came + ending)  # it may only have gone down the rows of what is being typed
            return
        self._show(ending, typing=typing)

    def cut(self, time: str) -> None:
        """The log ended at `time`: what its recorder then still held was written away, with no Enter behind it."""
        if self._entered and self._entered[-1].time == time:
            self._entered.pop()

    def close(self) -> None:
        while self._entered and self._answered and self.echo.printed:
            self._line_left(final=True)

    # --- judging

    def _line_left(self, *, final: bool = False) -> None:
        entered = self._entered[0]
        first = self._prompts.guess if entered.prompt is None and not self._prompts else None
        prompt = (entered.prompt or "").rstrip()
        self._terminal.join(
            lambda row: bool(
                (prompt and row.startswith(prompt))
                or self._rows.begins(row)
                or (first and first(row))
                or begins_over_its_prompt(entered.typed.edited, row)
            ),
            self._rows.count(entered),
        )
        self._block_left()
        line = self._rows.whole(self._terminal.line()[0].rstrip())
        if self._entered and (meant := self.echo.as_meant(self._entered[0].prompt)):
            line = meant.line.rstrip()
        if (
            self._entered
            and line.endswith(GIVEN_UP)
            and not final
            and not self._entered[0].typed.edited.endswith(GIVEN_UP)
        ):
            return
        leaving = self._leaving(line, final=final) if self._entered else []
        for number, entered in enumerate(leaving, 1):
            overtaken = (
                number < len(leaving) and entered.prompt is None and self._judge.matching(entered.typed, line) is None
            )
            self._told(entered, self._judge.unseen(entered.typed) if overtaken else self._judged(entered, line))
        self._rows.left_at = self._terminal.lines
        self.echo.came = ""

    def _judged(self, entered: Entered, line: str) -> Verdict:
        echoed, self.echo.printed = self.echo.printed, ""
        return self._judge.judge(entered, line, echoed)

    def _told(self, entered: Entered, verdict: Verdict) -> None:
        self.judged += 1
        self._tell(entered, verdict)

    def _tell(self, entered: Entered, verdict: Verdict) -> None:
        if verdict is NOTHING:
            return
        if verdict.blind:
            self._hide(entered, verdict)
        else:
            self._accept_line(entered, verdict)

    def _block_left(self) -> None:
        """Lines that an editor of whole blocks drew and left by moving the cursor: a line recorder has them in one piece."""
        if self._entered[0].prompt is not None and len(self._entered) == 1:
            return
        for row in self._rows.since_left():
            verdict = self._judge.of_row(self._entered[0].typed, row)
            if verdict is not None:
                self._told(self._entered.popleft(), verdict)
                if not self._entered:
                    return

    def _leaving(self, line: str, *, final: bool) -> list[Entered]:
        """Whose line this is, and all that were entered before: they have had theirs. Keys for a full-screen program have
        none; a line typed ahead waits for its own."""
        queue = self._entered
        for number, entered in enumerate(queue):
            if self._judge.matching(entered.typed, line) is not None:
                leaving = [queue.popleft() for _ in range(number + 1)]
                self.echo.printed = "" if number == 0 else self.echo.printed
                return [entered for entered in leaving if not entered.full_screen or entered is leaving[-1]]
        if len(queue) > 1 and queue[0].full_screen:
            queue.popleft()
            return self._leaving(line, final=final)
        if len(queue) > 1 and not line and not final:
            return []
        self._passed += 1
        if queue[0].ahead and not final and self._passed < MOST_PASSED and not self._recalled(queue[0], line):
            return []
        self._passed = 0
        return [queue.popleft()]

    def _recalled(self, entered: Entered, line: str) -> bool:
        """Whatever was recalled stands at a prompt."""
        found = None if entered.typed.known else self._prompts.known(line)
        return found is not None and bool(line[len(found[0]) :].strip())

    def _hide(self, entered: Entered, verdict: Verdict) -> None:
        if entered.prompt is not None or not self._prompts.find(verdict.prompt + " "):
            for secret in {entered.typed.edited.replace(WILD, ""), entered.typed.plain}:
                self._masks.learn(secret)
        self._accept(Command(entered.time, MASKED, UNKNOWN, True))

    def _accept_line(self, entered: Entered, verdict: Verdict) -> None:
        stood, self._stood = self._stood, verdict.text
        again = self.echo.edited and verdict.text == stood and self._prompts.known(verdict.prompt)
        if again and not verdict.sure and entered.typed.known:
            # Of a block that is drawn whole only the first row was looked at, as before.
            verdict = replace(verdict, text=entered.typed.edited)
        text = _gone_on(entered.typed, verdict.text).translate(CARETS)
        if not text.strip():
            return
        program = self._prompts.program_of(verdict.prompt, self._started) if verdict.prompt.strip() else UNKNOWN
        if verdict.sure and program != UNKNOWN:
            self._prompts.learn(verdict.prompt, program)
        if program != UNKNOWN:
            self._prompts.program = program
            self._started = started_by(text)
        goes_on = program == SHELL and verdict.prompt.strip() == CONTINUATION
        self._keyboard.editor.remember(text, goes_on=goes_on)
        self.last = text
        self._accept(Command(entered.time, self._masks.line(text), program, False, verdict.sure))


def _gone_on(typed: Typed, text: str) -> str:
    """`text` without the echo of a ^C that gave up nothing, as in sqlite: its line went on behind it."""
    before, given_up, behind = text.rpartition(GIVEN_UP)
    return before + behind if given_up and typed.known and behind == typed.edited else text


def _next_end(text: str, start: int) -> re.Match[str] | None:
    left = LINE_LEFT.search(text, start)
    while left is not None and (frame := FRAME.search(text, start)) and frame.start() < left.start() < frame.end():
        rows = frame.group().count("\n") - rows_risen(frame.group())
        start = text.rfind("\n", 0, frame.end()) if rows > 0 else frame.end()
        left = LINE_LEFT.search(text, start)
        if rows > 0:
            break
    return left


__all__ = ["MASKED", "SHELL", "Command", "Commands"]
