"""Which lines programs received: the keys say when Enter was pressed and what was meant, the screen says what became of it.

In: keys, what was shown, and the ends of lines, in the order in which they came. Out: commands, in the same order. On the way
a line is, from top to bottom:

    typed     `ls -l`, Enter          the keys are followed, and where the first was pressed; the Enter waits for its line
    shown     `~ $ ls -l`             its echo goes to the screen
    left      a line feed             only now has everything been echoed that will be: it is judged
    told      `ls -l`, of a shell     masked

What the screen never showed is never told: an answer typed blind is masked, here and wherever it turns up.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.reading.echo import Echo
from bot.reading.entered import NOTHING, Entered, Verdict
from bot.reading.firstkey import FirstKey
from bot.reading.keys import COMMENT, INTERRUPT, Keyboard, Typed, pressed
from bot.reading.likeness import NO_BLANKS, begins_over_its_prompt
from bot.reading.prompts import Prompts
from bot.reading.rows import Rows
from bot.reading.sequences import rows_risen
from bot.reading.terminal import Terminal
from bot.reading.told import GIVEN_UP, Command, Masks, Told
from bot.reading.verdicts import Judge
from bot.reading.waiting import Waiting

# A line feed, or the end of bracketed paste: some editors leave their line with a movement of the cursor.
LINE_LEFT = re.compile(r"\n|\x1b\[\?2004l")
GOES_TO_LAST_ROW = re.compile(r"\x1b\[[0-9]*B")  # of a block, before its line feed: so does zsh
# prompt_toolkit draws all that changed at once: it may go down for a menu, and come back.
FRAME = re.compile(r"\x1b\[\?7l(?:[^\x1b]|\x1b(?!\[\?7[lh]))*+\x1b\[\?7h")
# What readline's search has found.
SEARCHED = re.compile(r"i-search\)`[^']*': (.*)", re.DOTALL)


class Commands:
    def __init__(self, terminal: Terminal, masks: Masks, prompts: Prompts, accept: Callable[[Command], None]) -> None:
        self._terminal = terminal
        self._prompts = prompts
        self.echo = Echo(terminal, prompts)
        self._keyboard = Keyboard()
        self._first_key = FirstKey(terminal, prompts, self._keyboard)
        self._rows = Rows(terminal, prompts, self.echo)
        self._judge = Judge(prompts, self._rows, self.echo)
        self._waiting = Waiting(prompts, self._judge)
        self._told = Told(masks, prompts, self.echo, self._keyboard.editor, accept)
        self._answered = True  # something was shown after the last Enter
        self.judged = 0  # Enters whose lines were left

    # --- typed

    def typed(self, text: str, time: str, *, live: bool) -> None:
        """`live`: the log has the keys one by one, so the screen now is what the person saw when pressing them."""
        if "\x1b" in text:
            self.echo.measure.answered(text)
        text = pressed(text)
        if not text:
            return
        if self._terminal.alternate:
            self._waiting.in_full_screen()
        self._leave_what_was_answered(text, live=live)
        if live:
            self._terminal.asks_for_key()
            self._look()
            if self._full_screen():
                self._keyboard.forget()
                self._first_key.pressed = False
                return
        self._answered = False
        self.echo.after = ""
        for typed in self._keyboard.feed(text, live=live):
            if typed is None:
                self._waiting.give_up()
            elif typed.operated and not live:
                self._operated(typed, time)
            else:
                self._enter(typed, time, live=live)
            self.echo.entered()
            self._first_key.entered()

    def _enter(self, typed: Typed, time: str, *, live: bool) -> None:
        at = self._first_key
        self._waiting.enter(
            Entered(
                time,
                typed,
                prompt=at.prompt if live else None,
                lines=at.lines,
                right=at.right,
                full_screen=self._full_screen(),
                ahead=bool(self._waiting),
                nothing_below=at.nothing_below,
                line_at_enter=self._terminal.line()[0] if live else "",
            )
        )

    def _look(self) -> None:
        """At what the person sees who presses a key now."""
        if self._first_key.look() and not self._waiting:
            self.echo.printed = ""
            self.echo.measure.prompted(self.echo.came)
        editor = self._keyboard.editor
        if editor.searching and (found := SEARCHED.search(self._terminal.line()[0])):
            editor.seen(found[1].rstrip())

    def _full_screen(self) -> bool:
        """A full-screen program has the keyboard; one that draws on the normal screen shows no prompt."""
        if self._terminal.keypad and not (self._terminal.alternate or self.echo.edited or self.echo.by_zle):
            return self._prompts.find(self._first_key.prompt or self._terminal.line()[0]) is None
        return self._terminal.alternate

    def _leave_what_was_answered(self, text: str, *, live: bool) -> None:
        """Whoever types again has seen what became of the lines before, even if no line feed came."""
        if not live and self._answered and self._begins_with_what_stands_there(text):
            self._none_of_it_shown()
        while self._waiting and (self.echo.printed if live else self._answered):
            if live and self._still_typed():
                self._waiting.pop()
                self._keyboard.editor.lose_track()
                continue
            self._line_left(final=True)
            if live and self._waiting and self._waiting.first.ahead:
                break

    def _still_typed(self) -> bool:
        """The Enter was for a search, or a menu, of the line editor: its line is being typed where it was."""
        entered = self._waiting.first
        known = self._prompts.learnt(entered.prompt or "")
        return (
            not entered.ahead
            and known is not None
            and known.text == entered.prompt
            and self._terminal.lines == entered.lines
            and self._terminal.line()[0].startswith(entered.prompt)
        )

    def _begins_with_what_stands_there(self, text: str) -> bool:
        """The line broke while it was typed, so a line recorder has its begin before its Enter: it is of no earlier one."""
        if not self._waiting:
            return False
        meant = self.echo.as_meant(self._waiting.first.prompt)
        line = (meant.line if meant else self._terminal.line()[0]).rstrip()
        found = self._prompts.find(line)
        begun = found.behind(line) if found else ""
        at = text.rpartition(INTERRUPT)[2].find(begun) if begun else -1
        # A full-screen program gets its keys before the line does.
        if at < 0 or (at > 0 and not all(entered.full_screen for entered in self._waiting)):
            return False
        return all(self._judge.matching(entered.typed, line) is None for entered in self._waiting)

    def _none_of_it_shown(self) -> None:
        """Nor of what was entered before, but for what stands above. No line is left by that, so none counts as judged."""
        self._block_left()
        while self._waiting:
            entered = self._waiting.pop()
            if not entered.full_screen:
                self._told.tell(entered, self._judge.unseen(entered.typed))

    def _operated(self, typed: Typed, time: str) -> None:
        """A line recorder tells of ^O, or Alt-#, only with the Enter after it: the line was left long before."""
        begins = COMMENT if typed.edited.startswith(COMMENT) else ""
        # What ended the cursor's line is not known before the next piece.
        rows = [*self._rows.since_left(), self._terminal.line()[0]] if begins else self._rows.since_left()
        for number, row in enumerate(rows, self._rows.left_at + 1):
            found = self._prompts.find(row)
            text = found.behind(row) if found else ""
            if found and text.strip() and text.startswith(begins):
                self._tell(Entered(time, typed, None), Verdict(text, found.text))
                self._rows.left_at = number
                return

    # --- shown

    def shown(self, text: str, *, typing: bool = False) -> None:
        """`typing`: in a line that is being typed, though its keys come later."""
        start = 0
        self._answered = True
        while self._waiting:
            left = _next_end(text, start)
            if left is None:
                break
            self._show(text[start : left.start()])
            if self._terminal.alternate:
                self._waiting.in_full_screen()
            elif left.group() != "\n":
                if self._terminal.line()[0].strip() and (typing or not GOES_TO_LAST_ROW.match(text, left.end())):
                    self._line_left()
            elif not self._goes_down():
                self._line_left()
            self._show(left.group())
            start = left.end()
        if start < len(text):
            self._show(text[start:] if start else text, typing=typing)

    def passed(self, lines: bytes) -> None:
        """The same for many lines at once, in UTF-8, while nobody types and no Enter waits for its line."""
        if self.echo.pass_lines(lines):
            self._answered = True
        else:
            self.shown(lines.decode())

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

    def _show(self, text: str, *, typing: bool = False) -> None:
        measuring = self._first_key.pressed or self.waiting
        self.echo.show(text, self._first_key.prompt, measuring=measuring, typing=typing)

    def _goes_down(self) -> bool:
        """A line feed only goes down the rows of the line that was entered."""
        entered = self._waiting.first
        if meant := self.echo.as_meant(entered.prompt):
            return meant.has_rows_below
        return entered.nothing_below and self._terminal.below()

    def cut(self, time: str) -> None:
        """The log ended at `time`: what its recorder then still held was written away, with no Enter behind it."""
        self._waiting.cut(time)

    def close(self) -> None:
        while self._waiting and self._answered and self.echo.printed:
            self._line_left(final=True)

    # --- left

    def _line_left(self, *, final: bool = False) -> None:
        """`final`: nothing more comes of it."""
        self._join_rows(self._waiting.first)
        self._block_left()
        if self._waiting:
            entered = self._waiting.first
            meant = self.echo.as_meant(entered.prompt)
            line = meant.line.rstrip() if meant else self._rows.whole(self._terminal.line()[0].rstrip())
            if line.endswith(GIVEN_UP) and not (final or entered.typed.edited.endswith(GIVEN_UP)):
                return
            self._judge_leaving(line, final=final)
        self._rows.left_at = self._terminal.lines
        self.echo.came = ""

    def _join_rows(self, entered: Entered) -> None:
        """The rows of a line are one line, up to that with which it begins."""
        prompt = (entered.prompt or "").rstrip()
        any_prompt = entered.prompt is None and not self._prompts

        def begins(row: str) -> bool:
            return bool(
                (prompt and row.startswith(prompt))
                or self._rows.begins(row)
                or (any_prompt and self._prompts.guess(row))
                or begins_over_its_prompt(entered.typed.edited, row)
            )

        self._terminal.join(begins, self._rows.count(entered))

    def _block_left(self) -> None:
        """Lines that an editor of whole blocks drew and left by moving the cursor: a line recorder has them in one piece."""
        if self._waiting.first.prompt is not None and len(self._waiting) == 1:
            return
        for row in self._rows.since_left():
            verdict = self._judge.of_row(self._waiting.first.typed, row)
            if verdict is not None:
                self._tell(self._waiting.pop(), verdict)
                self.echo.printed = self._terminal.line()[0]  # the rows above are no echo of the next one
                if not self._waiting:
                    return

    def _judge_leaving(self, line: str, *, final: bool) -> None:
        if self._judge.matching(self._waiting.first.typed, line) is not None:
            self.echo.printed = ""  # it stands there: how it came tells no more
        leaving = self._waiting.leaving(line, final=final)
        for entered in leaving:
            overtaken = entered is not leaving[-1] and entered.prompt is None
            if overtaken and self._judge.matching(entered.typed, line) is None:
                self._tell(entered, self._judge.unseen(entered.typed))
            else:
                echoed, self.echo.printed = self.echo.printed, ""
                verdict = self._judge.judge(entered, line, echoed)
                if verdict.text and verdict.text == entered.typed.plain:
                    self.echo.measure.unwrapped(self.echo.came, verdict.prompt)
                self._tell(entered, verdict)
                if verdict is NOTHING and self._waiting and self._holds_text(line):
                    self._judge_leaving(line, final=final)  # so it is the next one's

    def _holds_text(self, line: str) -> bool:
        found = self._prompts.find(line)
        return found is not None and bool(found.behind(line).strip())

    # --- told

    def _tell(self, entered: Entered, verdict: Verdict) -> None:
        self.judged += 1
        self._told.tell(entered, verdict)

    # --- asked by whoever tells what a line recorder lost

    @property
    def waiting(self) -> bool:
        """An Enter was pressed, and its line has not been left."""
        return len(self._waiting) > 0

    @property
    def answered(self) -> bool:
        """An Enter was pressed, something was shown since, and its line has not been left."""
        return self.waiting and self._answered

    @property
    def started(self) -> str:
        """The name of the program that the last command started, as far as it has one."""
        return self._told.started

    @property
    def program(self) -> str:
        """Whose prompt comes next, as far as that is known: that of what was started, or the last one's."""
        return self._told.program

    @property
    def in_node(self) -> bool:
        return self.program in ("node", "mongo")

    @property
    def typed_surely(self) -> str | None:
        """What the keys say of the only Enter whose line has not been left, where they say all."""
        if len(self._waiting) != 1 or not self._answered:
            return None
        entered, typed = self._waiting.first, self._waiting.first.typed
        sure = typed.known and entered.prompt is None and not entered.full_screen
        return typed.edited if sure and typed.edited.strip() and typed.edited.isprintable() else None

    def left_as_typed(self, prompt: str) -> None:
        """The line of that Enter was left: it is `prompt` and what was typed at it."""
        entered = self._waiting.pop()
        self._terminal.feed("\n")
        self.echo.measure.unwrapped(self.echo.came, prompt)
        self.echo.forget()
        self._tell(entered, Verdict(entered.typed.edited, prompt))
        self._rows.left_at = self._terminal.lines - 1

    def complete(self, line: str) -> bool:
        """The line of the last Enter stands there as it was typed."""
        typed = self._waiting.first.typed
        if not typed.edited and typed.known:
            found = self._prompts.learnt(line + " ")
            return found is not None and found.text.rstrip() == line
        return typed.known and self._judge.matching(typed, line) is not None

    def expects_more(self, line: str, following: str) -> bool:
        """The line of the last Enter goes on, or is drawn again, in what follows: so it has not been left."""
        typed = self._waiting.first.typed
        if not typed.known and "i-search)" in line:
            return self._prompts.find_stripped(following) is not None
        found = self._prompts.find_stripped(line)
        shown = (found.behind(line) if found else line).translate(NO_BLANKS)
        wanted, rest = typed.edited.translate(NO_BLANKS), following.translate(NO_BLANKS)
        return bool(shown and rest) and shown[-8:] + rest[:8] in wanted


def _next_end(text: str, start: int) -> re.Match[str] | None:
    """Where the next line is left; in a frame that is its last line feed, if it ends below where it began, or none."""
    left = LINE_LEFT.search(text, start)
    while left is not None and (frame := _frame_around(text, start, left.start())):
        rows = frame.group().count("\n") - rows_risen(frame.group())
        start = text.rfind("\n", 0, frame.end()) if rows > 0 else frame.end()
        left = LINE_LEFT.search(text, start)
        if rows > 0:
            break
    return left


def _frame_around(text: str, start: int, at: int) -> re.Match[str] | None:
    begin = text.rfind("\x1b[?7l", start, at)
    frame = FRAME.match(text, begin) if begin >= 0 else None
    return frame if frame and at < frame.end() else None
