"""What a verdict is told as: a command with its program, masked. And what each teaches: a prompt, a line of the history."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.reading.echo import Echo
from bot.reading.entered import NOTHING, Entered, Verdict
from bot.reading.keys import WILD, Readline, Typed
from bot.reading.masking import MASK
from bot.reading.prompts import SHELL, UNKNOWN, Prompts, program_name, started_by

# A control character that was quoted into a line, as editors show it.
CARETS = {code: f"^{chr(code ^ 64)}" for code in (*range(32), 127) if chr(code) not in "\n\t"} | dict.fromkeys(
    range(128, 160)
)
CONTINUATION = ">"  # bash's prompt for the rest of a command
GIVEN_UP = "^C"
IRB, IRB_SIGNS = "irb", "*>\"'/ "  # behind the number of the row
MOST_NUMBERED = 40  # of a block


@dataclass(frozen=True, slots=True)
class Command:
    """A line that a program received; `time` as it is in the log, `text` is masked, `sure` is False where keys and screen disagree."""

    time: str
    text: str
    program: str
    masked: bool
    sure: bool = True


class Masks(Protocol):
    def line(self, text: str) -> str: ...
    def learn(self, value: str) -> None: ...


class Told:
    def __init__(
        self, masks: Masks, prompts: Prompts, echo: Echo, editor: Readline, accept: Callable[[Command], None]
    ) -> None:
        self._masks = masks
        self._prompts = prompts
        self._echo = echo
        self._editor = editor
        self._accept = accept
        self._last = ""
        self._stood = ""  # on the line that was left last
        self._numbered: deque[tuple[str, str]] = deque(maxlen=MOST_NUMBERED)  # what stood at which of irb's prompts
        self._started = ""  # the program that the last command started, if its prompts look like another's

    @property
    def started(self) -> str:
        """The name of the program that the last command started, as far as it has one."""
        return program_name(self._last) or "program"

    @property
    def program(self) -> str:
        """Whose prompt comes next, as far as that is known: that of what was started, or the last one's."""
        return self._started or self._prompts.program

    def tell(self, entered: Entered, verdict: Verdict) -> None:
        if verdict is NOTHING:
            return
        if verdict.blind:
            self._hide(entered, verdict)
        else:
            self._tell_line(entered, self._of_block_again(entered.typed, verdict))

    def _hide(self, entered: Entered, verdict: Verdict) -> None:
        """What was typed blind is masked wherever it turns up, unless it may be a command that was just not shown."""
        if entered.prompt is not None or not self._prompts.find_stripped(verdict.prompt):
            for secret in {entered.typed.edited.replace(WILD, ""), entered.typed.plain}:
                self._masks.learn(secret)
        self._accept(Command(entered.time, MASK, UNKNOWN, True))

    def _of_block_again(self, typed: Typed, verdict: Verdict) -> Verdict:
        """Of a block that is drawn whole only the first row was looked at, as before."""
        stood, self._stood = self._stood, verdict.text
        same = self._echo.edited and verdict.text == stood and not verdict.sure
        # irb numbers its rows.
        row = verdict.prompt.rstrip(IRB_SIGNS), verdict.text
        drawn_again = row in self._numbered and verdict.text.strip() != typed.edited.strip()
        again = drawn_again or (same and self._prompts.learnt(verdict.prompt) is not None)
        if IRB in (self._prompts.program, verdict.prompt[: len(IRB)]):
            self._numbered.append(row)
        return verdict._replace(text=typed.edited) if again and typed.known else verdict

    def _tell_line(self, entered: Entered, verdict: Verdict) -> None:
        text = _gone_on(entered.typed, verdict.text).translate(CARETS)
        if not text.strip():
            return
        program = UNKNOWN
        if verdict.prompt.strip():
            program = self._prompts.program_of(verdict.prompt, self._started)
        elif verdict.prompt and self._echo.edited:
            program = self._prompts.program  # a further row of a block, indented by its editor
        if verdict.sure and program != UNKNOWN:
            self._prompts.learn(verdict.prompt, program)
        if program != UNKNOWN:
            self._prompts.program = program
            self._started = started_by(text)
        self._editor.remember(text, goes_on=program == SHELL and verdict.prompt.strip() == CONTINUATION)
        self._last = text
        self._accept(Command(entered.time, self._masks.line(text), program, False, verdict.sure))


def _gone_on(typed: Typed, text: str) -> str:
    """`text` without the echo of a ^C that gave up nothing, as in sqlite: its line went on behind it."""
    before, given_up, behind = text.rpartition(GIVEN_UP)
    return before + behind if given_up and typed.known and behind == typed.edited else text
