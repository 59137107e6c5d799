"""What stood around the cursor at the first key of the line that is being typed: before it the prompt, whatever that looks
like. Only a log that has the keys one by one tells.
"""

from __future__ import annotations

from bot.reading.keys import Keyboard
from bot.reading.prompts import QUESTION, Prompts
from bot.reading.terminal import Terminal


class FirstKey:
    def __init__(self, terminal: Terminal, prompts: Prompts, keyboard: Keyboard) -> None:
        self._terminal = terminal
        self._prompts = prompts
        self._keyboard = keyboard
        self.pressed = False  # for this line
        self.prompt: str | None = None
        self.lines = 0  # above
        self.right = ""  # a prompt at the right edge
        self.nothing_below = False  # nothing stood below

    def entered(self) -> None:
        """The next key will be the first of another line."""
        self.pressed, self.prompt, self.right, self.nothing_below = False, None, "", False

    def look(self) -> bool:
        """A key is pressed: it is the first if the cursor stands at another prompt than before. Keys that a pager got are
        no first keys."""
        line, place = self._terminal.line()
        before = line[:place]
        if self.pressed and self._taken_singly(before):
            self._keyboard.forget()
        elif self.pressed and (not self._is_another_prompt(before) or self._is_row_of_typed(before)):
            return False
        self.pressed, self.prompt = True, before
        self.right = "" if self._keyboard.editor.line.text else line[place:].strip()
        self.lines = self._terminal.lines
        self.nothing_below = not self._terminal.below()
        return True

    def _is_another_prompt(self, before: str) -> bool:
        """Only at a prompt that is no known one can another follow; a tangled line may look like one."""
        known = self._prompts.learnt(self.prompt or "")
        found = (self._prompts.learnt if known and known.text == self.prompt else self._prompts.find)(before)
        return before != self.prompt and found is not None and found.text == before

    def _is_row_of_typed(self, before: str) -> bool:
        """What stands before the cursor is a row of the line that is being typed, which looks like a prompt."""
        line = self._keyboard.editor.line
        typed = line.text[: line.point].rstrip()
        last = typed[-3:]
        return "\n" in typed or typed.endswith(before.strip()) or (len(last) > 2 and before.rstrip().endswith(last))

    def _taken_singly(self, before: str) -> bool:
        """Whoever asked went on without an Enter: the keys until now were answers by themselves."""
        asked = self.prompt or ""
        if self._terminal.lines <= self.lines or self._prompts.find(asked) is not None:
            return False
        return bool(QUESTION.search(asked) or (asked.strip() and before != asked and QUESTION.search(before)))
